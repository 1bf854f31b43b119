/// Cuts an SQL text into the tokens that decide where it ends (PostgreSQL documentation, 4.1).
///
/// It knows no grammar: only quotes, comments, brackets and words, so that a text which is put into a query
/// cannot end before or after the place it was meant for.
struct SQLScanner {
  enum Token: Equatable {
    case word(String)
    /// A name in double quotes, a number, or a text in quotes.
    case literal
    case open(UInt8)
    case close(UInt8)
    case comma
    case semicolon
    /// `$1`: a parameter of the query around it.
    case parameter
    /// Any other sign.
    case sign
  }

  /// The parts that a text can begin and not end.
  enum Unfinished: String, Error {
    case text = "a text in '…' does not end"
    case name = "a name in \"…\" does not end"
    case dollarText = "a text in $…$ does not end"
    case comment = "a comment /* … */ does not end"
    case lineComment = "ends in a -- comment, which would hide what follows it in the query; use /* … */"
  }

  private let bytes: [UInt8]
  private var at = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// Returns every token of the text, without white space and comments.
  static func tokens(of text: String) -> Result<[Token], Unfinished> {
    var scanner = SQLScanner(text)
    var tokens: [Token] = []
    do {
      while let token = try scanner.next() { tokens.append(token) }
      return .success(tokens)
    } catch {
      return .failure(error)
    }
  }

  private mutating func next() throws(Unfinished) -> Token? {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C: at += 1
      case UInt8(ascii: "-") where peek(1) == byte: try skipLineComment()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try skipComment()
      default: return try token(byte)
      }
    }
    return nil
  }

  private mutating func token(_ byte: UInt8) throws(Unfinished) -> Token {
    switch byte {
    case UInt8(ascii: "'"):
      try skipQuoted(byte, escapes: false, unfinished: .text)
      return .literal
    case UInt8(ascii: "\""):
      try skipQuoted(byte, escapes: false, unfinished: .name)
      return .literal
    case UInt8(ascii: "$"): return try dollar()
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      while let digit = peek(), Self.isWordPart(digit) || digit == UInt8(ascii: ".") { at += 1 }
      return .literal
    case _ where Self.isWordStart(byte): return try word()
    default: break
    }
    at += 1
    switch byte {
    case UInt8(ascii: "("), UInt8(ascii: "["): return .open(byte)
    case UInt8(ascii: ")"), UInt8(ascii: "]"): return .close(byte)
    case UInt8(ascii: ","): return .comma
    case UInt8(ascii: ";"): return .semicolon
    default: return .sign
    }
  }

  /// Reads a word; `E'…'` is a text in which a backslash escapes a quote (4.1.2.2).
  private mutating func word() throws(Unfinished) -> Token {
    let start = at
    while let byte = peek(), Self.isWordPart(byte) { at += 1 }
    if peek() == UInt8(ascii: "'"), at - start == 1, bytes[start] | 0x20 == UInt8(ascii: "e") {
      try skipQuoted(UInt8(ascii: "'"), escapes: true, unfinished: .text)
      return .literal
    }
    return .word(String(decoding: bytes[start..<at], as: UTF8.self))
  }

  /// Reads `$1`, `$$…$$` or `$tag$…$tag$` (4.1.2.4).
  private mutating func dollar() throws(Unfinished) -> Token {
    let start = at
    at += 1
    if let digit = peek(), (0x30...0x39).contains(digit) {
      while let digit = peek(), (0x30...0x39).contains(digit) { at += 1 }
      return .parameter
    }
    while let byte = peek(), Self.isWordPart(byte), byte != UInt8(ascii: "$") { at += 1 }
    guard peek() == UInt8(ascii: "$") else {
      at = start + 1
      return .sign
    }
    at += 1
    let tag = bytes[start..<at]
    while at + tag.count <= bytes.count {
      if bytes[at] == UInt8(ascii: "$"), bytes[at..<at + tag.count].elementsEqual(tag) {
        at += tag.count
        return .literal
      }
      at += 1
    }
    throw .dollarText
  }

  /// Skips a quoted text, in which a doubled quote is a quote (4.1.2.1).
  private mutating func skipQuoted(_ quote: UInt8, escapes: Bool, unfinished: Unfinished) throws(Unfinished) {
    at += 1
    while let byte = peek() {
      at += 1
      if byte == UInt8(ascii: "\\"), escapes {
        at += 1
      } else if byte == quote {
        if peek() == quote {
          at += 1
        } else if !(escapes && skipToContinuation(quote)) {
          return
        }
      }
    }
    throw unfinished
  }

  /// Skips to the rest of a text that goes on, with its escapes, in quotes on the next line (4.1.2.1).
  private mutating func skipToContinuation(_ quote: UInt8) -> Bool {
    let space = bytes[at...].prefix { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard space.contains(0x0A) || space.contains(0x0D), peek(space.count) == quote else { return false }
    at += space.count + 1
    return true
  }

  private mutating func skipLineComment() throws(Unfinished) {
    while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { at += 1 }
    // White space after the comment may be trimmed, its line break with it: something must follow.
    let rest = bytes[at...]
    guard rest.contains(where: { $0 > 0x20 }) else { throw .lineComment }
  }

  /// Skips a comment; comments nest (4.1.5).
  private mutating func skipComment() throws(Unfinished) {
    var depth = 0
    while let byte = peek() {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        depth += 1
        at += 2
      } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        depth -= 1
        at += 2
        if depth == 0 { return }
      } else {
        at += 1
      }
    }
    throw .comment
  }

  private func peek(_ offset: Int = 0) -> UInt8? {
    at + offset < bytes.count ? bytes[at + offset] : nil
  }

  private static func isWordStart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...: true
    default: false
    }
  }

  private static func isWordPart(_ byte: UInt8) -> Bool {
    isWordStart(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$")
  }
}
