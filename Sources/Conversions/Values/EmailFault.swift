/// The kinds of text in an e-mail column that are no address, or more than one: each matches nothing, without an error.
public enum EmailFault: String, Sendable, CaseIterable {
  /// White space, or nothing at all.
  case blank
  /// A name with the address in angle brackets.
  case named
  /// Two addresses or more.
  case several
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
    } else if visible.contains("<") || visible.contains(">") {
      self = .named
    } else if EmailAddress(text) == nil {
      self = .malformed
    } else {
      return nil
    }
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
