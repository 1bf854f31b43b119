/// Text from outside on its way to a log: an API that refuses an address likes to repeat it.
enum MaskedText {
  /// The text with all but the first letter and the domain of each e-mail address taken out: `a***@example.com`.
  static func withoutAddresses(_ text: String) -> String {
    guard text.contains("@") else { return text }
    var result = ""
    var word = ""
    for character in text {
      guard isSeparator(character) else {
        word.append(character)
        continue
      }
      result += masked(word) + String(character)
      word = ""
    }
    return result + masked(word)
  }

  private static func isSeparator(_ character: Character) -> Bool {
    character.isWhitespace || "\"'`<>()[]{},;:=|".contains(character)
  }

  private static func masked(_ word: String) -> String {
    guard let at = word.lastIndex(of: "@"), at != word.startIndex, let first = word.first else { return word }
    return "\(first)***\(word[at...])"
  }
}
