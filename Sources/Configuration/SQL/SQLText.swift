/// Judges whether an SQL text can stand where the configuration puts it without changing what is around it.
enum SQLText {
  /// The place where the text will stand.
  enum Place {
    /// One value among others, or one condition.
    case expression
    /// All of a FROM clause.
    case fromClause
    /// A currency, which is apt to lose the quotes of its literal to YAML.
    case currency
  }

  /// Finds a mistake in the text, in words that follow its position; `nil` where there is none.
  static func mistake(in text: String, place: Place) -> String? {
    if text.utf8.contains(0) { return "holds a NUL, which PostgreSQL cannot read" }
    let tokens: [SQLScanner.Token]
    switch SQLScanner.tokens(of: text) {
    case .failure(let unfinished): return "this SQL cannot be used: \(unfinished.rawValue)"
    case .success(let found): tokens = found
    }
    if tokens.isEmpty { return "empty; \(place == .fromClause ? "name a table" : "write an SQL expression")" }
    if let mistake = bracketMistake(in: tokens) { return "this SQL cannot be used: \(mistake)" }
    if case .word(let word) = tokens[0], tokens.count == 1, let mistake = wordMistake(word, place: place) {
      return mistake
    }
    return topLevelMistake(in: tokens, place: place)
  }

  /// Finds a doubtful point of the text; `nil` where there is none.
  static func warning(about text: String) -> String? {
    guard case .success(let tokens) = SQLScanner.tokens(of: text), tokens.count == 1 else { return nil }
    guard case .word(let word) = tokens[0], word != word.lowercased(), word != word.uppercased() else { return nil }
    let shown = Shown.text(word)
    return "without quotes of SQL's own, \(shown) names the column \(shown.lowercased()); "
      + "for a column with capitals write '\"\(shown)\"'"
  }

  private static func bracketMistake(in tokens: [SQLScanner.Token]) -> String? {
    var open: [UInt8] = []
    for token in tokens {
      switch token {
      case .open(let bracket): open.append(bracket)
      case .close(let bracket):
        let expected = bracket == UInt8(ascii: ")") ? UInt8(ascii: "(") : UInt8(ascii: "[")
        guard open.popLast() == expected else { return "a \(sign(bracket)) closes nothing" }
      case .semicolon: return "a ; would end the query"
      case .parameter: return "it has no parameters such as $1"
      default: break
      }
    }
    return open.last.map { "a \(sign($0)) is not closed" }
  }

  private static func topLevelMistake(in tokens: [SQLScanner.Token], place: Place) -> String? {
    var depth = 0
    for (index, token) in tokens.enumerated() {
      switch token {
      case .open: depth += 1
      case .close: depth -= 1
      case .comma where depth == 0 && place != .fromClause:
        return "two expressions where one belongs: a comma stands outside parentheses"
      case .word(let word) where depth == 0:
        if let mistake = clauseMistake(word.lowercased(), isFirst: index == 0, place: place) { return mistake }
      default: break
      }
    }
    return nil
  }

  private static func clauseMistake(_ word: String, isFirst: Bool, place: Place) -> String? {
    if place != .fromClause { return word == "as" ? "leave out AS and the name after it" : nil }
    switch word {
    case "where": return "a FROM clause only; put the condition under orders.where"
    case "from" where isFirst: return "leave out the word FROM"
    case "select" where isFirst, "with" where isFirst, "values" where isFirst:
      return "put a sub-select in parentheses, with a name after it"
    case "group", "having", "window", "order", "limit", "offset", "fetch", "union", "intersect", "except":
      return "a FROM clause only; \(word.uppercased()) has no place in it (a view can hold it)"
    default: return nil
    }
  }

  /// Finds a mistake in a text that is one bare word.
  private static func wordMistake(_ word: String, place: Place) -> String? {
    if place == .currency, word.utf8.count == 3, word.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) {
      return "\(word) would be a column called \(word.lowercased()); "
        + "for the currency itself keep SQL's quotes inside YAML's: \"'\(word)'\""
    }
    guard reserved.contains(word.lowercased()) else { return nil }
    return "\(word) is a word of SQL; for a \(place == .fromClause ? "table" : "column") of that name "
      + "keep SQL's quotes inside YAML's: '\"\(word)\"'"
  }

  /// The reserved words (PostgreSQL documentation, appendix C) that shops use as names.
  private static let reserved: Set<String> = [
    "order", "user", "group", "table", "column", "select", "default", "end", "check", "primary", "references",
    "desc", "asc", "limit", "offset", "where", "from", "to", "all", "any", "case", "when", "then", "window", "union",
  ]

  private static func sign(_ byte: UInt8) -> String { String(Unicode.Scalar(byte)) }
}
