/// Text from outside on its way to a log or a terminal: an API that refuses an address likes to repeat it, and a shop's
/// metadata may hold one.
public enum MaskedText {
  /// The text with all but the first letter and the domain of each e-mail address taken out: `a***@example.com`.
  ///
  /// Rather too much is taken out than too little: all that may stand in an address's local part (RFC 5322, 3.2.3)
  /// goes. An address as a query holds it, with `%40`, is one, too.
  public static func withoutAddresses(_ text: String) -> String {
    guard text.contains("@") || text.contains("%40") else { return text }
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
    character.isWhitespace || "\"<>()[],;:\\".contains(character)
  }

  private static func masked(_ word: String) -> String {
    let sign = word.lastIndex(of: "@").map { $0..<$0 } ?? word.ranges(of: "%40").last
    guard let sign, sign.lowerBound != word.startIndex, let first = word.first else { return word }
    return "\(first)***\(word[sign.lowerBound...])"
  }
}
