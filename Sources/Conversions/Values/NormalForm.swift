import Foundation

/// How texts from a shop and from the API are brought to one form before they are compared.
enum NormalForm {
  /// White space and invisible characters cut from both ends, then NFC (Unicode Standard Annex 15); nil where
  /// nothing is left.
  static func trimmed(_ raw: String) -> String? {
    let scalars = raw.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isIgnorable($0) }),
      let last = scalars.lastIndex(where: { !isIgnorable($0) })
    else { return nil }
    let text = String(scalars[first...last])
    return text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
  }

  /// White space, NUL, the byte order mark and the zero-width space: what copying from a mail or a sheet leaves.
  private static func isIgnorable(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar == "\u{FEFF}" || scalar == "\u{200B}" || scalar == "\0"
  }
}
