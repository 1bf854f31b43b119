/// The kinds of text in an e-mail column that are no address, or more than one: each matches nothing, without an error.
public enum EmailFault: String, Sendable, CaseIterable {
  /// White space, or nothing at all.
  case blank
  /// A name with the address in angle brackets.
  case named
  /// Two addresses or more.
  case several
  /// An address with marks around it: quotes, brackets, a comma or semicolon behind it, `mailto:` before it.
  case wrapped
  /// No `@` anywhere: encrypted, hashed, encoded, or a word such as `guest`.
  case opaque
  /// An `@`, and yet no address.
  case malformed

  /// Finds the kind of a column's text; nil for one address.
  public init?(of text: String) {
    let visible = NormalForm.visible(text)
    guard NormalForm.trimmed(visible) != nil else {
      self = .blank
      return
    }
    let words = visible.split { $0.isWhitespace || ",;".contains($0) }.filter { $0.contains("@") }
    if words.count > 1 {
      self = .several
    } else if !visible.contains("@") {
      self = .opaque
    } else if Self.isPlain(visible) {
      return nil
    } else if let name = visible.firstMatch(of: /<([^<>]+)>/), Self.isPlain(String(name.1)) {
      self = .named
    } else {
      self = Self.isPlain(Self.unwrapped(visible)) ? .wrapped : .malformed
    }
  }

  /// Finds the kind of a text that was read; most addresses need no close look.
  public init?(of text: String, readAs email: EmailAddress?) {
    if email != nil, !text.utf8.contains(where: { Self.markBytes.contains($0) }) { return nil }
    self.init(of: text)
  }

  private static let markBytes = Set("\"'(),:;<>[\\]".utf8)

  /// Characters that neither a domain nor a local part without quotes can hold (RFC 5321, 4.1.2).
  private static let marks: Set<Character> = ["\"", "(", ")", ",", ":", ";", "<", ">", "[", "\\", "]"]

  /// True of an address with none of these, nor with the single quotes that a program put around it.
  private static func isPlain(_ text: String) -> Bool {
    guard let (local, domain) = EmailAddress(text)?.parts else { return false }
    let isQuoted = local.count > 2 && local.first == "\"" && local.last == "\""
    return (isQuoted || !local.contains { marks.contains($0) }) && !domain.dropFirst().contains { marks.contains($0) }
      && domain.last != "'"
  }

  private static func unwrapped(_ text: String) -> String {
    let outer = text.replacing(/mailto:/.ignoresCase(), with: "")
    func isInner(_ character: Character) -> Bool { !" \"'(),;<>".contains(character) }
    guard let first = outer.firstIndex(where: isInner), let last = outer.lastIndex(where: isInner) else { return "" }
    return String(outer[first...last])
  }

  /// Returns a text with all but the first letter or digit of each word taken out, and no longer than a line.
  public static func masked(_ text: String) -> String {
    var result = ""
    var isInWord = false
    for character in text.prefix(200) {
      let isWord = character.isLetter || character.isNumber
      if !isWord { result.append(character.isWhitespace ? " " : character) }
      if isWord, !isInWord { result += "\(character)***" }
      isInWord = isWord
    }
    return result.count > 60 ? "\(result.prefix(60))…" : result
  }
}
