/// Makes text from a file fit to be shown to a person.
enum Shown {
  /// Returns the text with control characters escaped, keys of the API left out, and no longer than `limit`.
  static func text(_ text: String, limit: Int = 60) -> String {
    var shown = ""
    var count = 0
    for scalar in text.unicodeScalars {
      if count == limit {
        shown += "…"
        break
      }
      count += 1
      if isPlain(scalar) {
        shown.unicodeScalars.append(scalar)
      } else {
        shown += "\\u{" + String(scalar.value, radix: 16) + "}"
      }
    }
    guard let key = shown.firstRange(of: "oft_") else { return shown }
    return shown[..<key.upperBound] + "…"
  }

  /// Returns true if a terminal shows the scalar as one sign and nothing else (no controls, no bidi overrides).
  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
