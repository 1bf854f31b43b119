/// Text from outside on its way to a log or a terminal: an API that refuses an address often repeats it, and a shop's
/// metadata may hold one.
public enum MaskedText {
  /// Returns the text with all but the first letter and the domain of each e-mail address taken out:
  /// `a***@example.com`.
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

  /// Returns the e-mail addresses that stand in a text such as metadata, in normal form.
  public static func addresses(in text: String) -> [EmailAddress] {
    guard text.contains("@") || text.contains("%40") else { return [] }
    return text.replacing("%40", with: "@").split(whereSeparator: isSeparator).filter { $0.contains("@") }
      .flatMap { word in
        // Characters that may stand in a local part and mostly don't: quotes, and the end of a sentence.
        let bare = word.drop { quotes.contains($0) }.reversed().drop { quotes.contains($0) }.reversed()
        // Parts of a URL, although a local part could hold these characters, too.
        let parts = word.split { "=?&/|#".contains($0) }.filter { $0.contains("@") }.map(String.init)
        return Set([String(word), String(bare)] + parts).compactMap(EmailAddress.init)
      }
  }

  private static let quotes = "'`*.!?{}"

  private static func isSeparator(_ character: Character) -> Bool {
    character.isWhitespace || "\"<>()[],;:\\".contains(character)
  }

  private static func masked(_ word: String) -> String {
    let sign = word.lastIndex(of: "@").map { $0..<$0 } ?? word.ranges(of: "%40").last
    guard let sign, sign.lowerBound != word.startIndex, let first = word.first else { return word }
    return "\(first)***\(word[sign.lowerBound...])"
  }
}
