/// An operator's SQL expression, cut into tokens (PostgreSQL manual, 4.1): as much of it as it takes to tell which
/// names, literals and operators it consists of.
struct SQLTokens: Sendable {
  enum Token: Hashable, Sendable {
    /// A name or key word as it was written, in lower case where it is not quoted.
    case name(String, isQuoted: Bool)
    /// A string in plain quotes, its content.
    case string(String)
    case number
    /// Operator characters that stand together.
    case symbol(String)
    /// One of `( ) [ ] , . ;`.
    case mark(Character)
    /// Anything that isn't looked into: a comment, a string with escapes or in dollars, a parameter.
    case opaque(String)
  }

  private(set) var tokens: [Token] = []
  private var rest: Substring

  init(_ sql: String) {
    rest = sql[...]
    while let token = next() { tokens.append(token) }
  }

  /// Names that may stand for relations: `a` and `a.b` of each chain of names.
  var names: [String] {
    var names: [String] = []
    for (index, token) in tokens.enumerated() {
      guard case .name(let first, let isQuoted) = token, index == 0 || tokens[index - 1] != .mark(".") else { continue }
      names.append(Self.text(first, isQuoted))
      if index + 2 < tokens.count, tokens[index + 1] == .mark("."),
        case .name(let second, let isQuoted) = tokens[index + 2]
      {
        names.append(names[names.count - 1] + "." + Self.text(second, isQuoted))
      }
    }
    return names
  }

  private static func text(_ name: String, _ isQuoted: Bool) -> String {
    isQuoted ? "\"\(name.replacing("\"", with: "\"\""))\"" : name
  }

  private static let symbols: Set<Character> = [
    "+", "-", "*", "/", "<", ">", "=", "~", "!", "@", "#", "%", "^", "&", "|", "`", "?", ":",
  ]

  private mutating func next() -> Token? {
    rest = rest.drop(while: \.isWhitespace)
    guard let first = rest.first else { return nil }
    if rest.hasPrefix("--") || rest.hasPrefix("/*") || first == "$" { return opaque() }
    switch first {
    case "'": return quoted("'").map { .string($0) } ?? opaque()
    case "\"": return quoted("\"").map { .name($0, isQuoted: true) } ?? opaque()
    case "(", ")", "[", "]", ",", ".", ";":
      rest.removeFirst()
      return .mark(first)
    case _ where Self.symbols.contains(first): return .symbol(take { Self.symbols.contains($0) })
    case _ where first.isNumber:
      _ = take { $0.isLetter || $0.isNumber || $0 == "." }
      return .number
    case _ where first.isLetter || first == "_": return word()
    default: return opaque()
    }
  }

  private mutating func word() -> Token {
    let name = take { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }.lowercased()
    // E'', B'', X'', N'', U&'' and U&"": content that isn't what it looks like.
    let isPrefix = ["e", "b", "x", "n"].contains(name) && rest.first == "'" || name == "u" && rest.hasPrefix("&")
    return isPrefix ? opaque() : .name(name, isQuoted: false)
  }

  private mutating func take(while isPart: (Character) -> Bool) -> String {
    let part = rest.prefix(while: isPart)
    rest = rest.dropFirst(part.count)
    return String(part)
  }

  /// Text that stands in quotes, doubled ones taken for one; nil where they don't end.
  private mutating func quoted(_ quote: Character) -> String? {
    var (content, left) = ("", rest.dropFirst())
    while let end = left.firstIndex(of: quote) {
      content += left[..<end]
      left = left[left.index(after: end)...]
      guard left.first == quote else {
        rest = left
        return content
      }
      content.append(quote)
      left = left.dropFirst()
    }
    return nil
  }

  /// Everything up to the end: nothing behind it can be told for certain.
  private mutating func opaque() -> Token {
    defer { rest = rest[rest.endIndex...] }
    return .opaque(String(rest))
  }
}
