import Foundation

/// The one form to which texts from a shop and from the API are brought before they are compared.
enum NormalForm {
  /// Returns the text without white space and invisible characters at both ends, in NFC (Unicode Standard Annex 15);
  /// nil where nothing is left.
  static func trimmed(_ raw: String) -> String? {
    let scalars = raw.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isIgnorable($0) }),
      let last = scalars.lastIndex(where: { !isIgnorable($0) })
    else { return nil }
    return composed(String(scalars[first...last]))
  }

  /// Returns the text without the code points that show nothing: soft hyphens, joiners, bidirectional marks and
  /// isolates, zero-width spaces and all else that a font need not draw (Unicode, Default_Ignorable_Code_Point). A
  /// copied address has them.
  static func visible(_ raw: String) -> String {
    guard !isASCII(raw) else { return raw }
    return String(String.UnicodeScalarView(raw.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }))
  }

  /// Returns the text by simple case folding (Unicode's CaseFolding.txt, C and S), in NFC: a final sigma is a sigma,
  /// the Kelvin sign a k, and a sharp s stays one letter.
  static func folded(_ text: Substring) -> String {
    guard !isASCII(String(text)) else { return text.lowercased() }
    return composed(String(String.UnicodeScalarView(text.unicodeScalars.map(folded))))
  }

  /// Returns the text with ASCII's capitals alone made small.
  static func asciiLowercased(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value | 0x20)) : $0 }))
  }

  /// Returns the text without white space around it, in NFC.
  static func withoutOuterSpace(_ raw: String) -> String {
    let scalars = raw.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return composed(String(scalars[first...last]))
  }

  /// Returns the small letter of a scalar's capital, where each is one scalar: that is simple case folding, but for two
  /// letters.
  private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    // The dotless i has a capital of its own only in Turkic languages; the ligatures of s and t fold to one another.
    if scalar == "\u{131}" { return scalar }
    if scalar == "\u{FB05}" { return "\u{FB06}" }
    let capital = lone(scalar.properties.uppercaseMapping) ?? scalar
    return lone(capital.properties.lowercaseMapping) ?? capital
  }

  private static func lone(_ mapping: String) -> Unicode.Scalar? {
    let scalars = mapping.unicodeScalars
    return scalars.count == 1 ? scalars.first : nil
  }

  private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

  private static func composed(_ text: String) -> String {
    isASCII(text) ? text : text.precomposedStringWithCanonicalMapping
  }

  /// True for white space, NUL, the byte order mark and the zero-width space, as copying from a mail or a sheet leaves
  /// them.
  private static func isIgnorable(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar == "\u{FEFF}" || scalar == "\u{200B}" || scalar == "\0"
  }
}
