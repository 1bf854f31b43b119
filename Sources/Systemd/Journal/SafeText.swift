/// Text from outside that may be shown to a person.
enum SafeText {
  /// The text with everything escaped that a terminal obeys or a reader cannot see: C0, C1, DEL, line separators,
  /// bidirectional overrides and other formats (Unicode 16, 23.2).
  static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isHidden) else { return text }
    var safe = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": safe += "\\n"
      case "\r": safe += "\\r"
      case "\t": safe += "\\t"
      case _ where isHidden(scalar): safe += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: safe.unicodeScalars.append(scalar)
      }
    }
    return safe
  }

  /// The value of a field: in quotes where it would not end at the next space.
  static func quoted(_ value: String) -> String {
    let safe = escaped(value)
    let needsQuotes = safe.isEmpty || safe.unicodeScalars.contains { " \"=\\".unicodeScalars.contains($0) }
    guard needsQuotes else { return safe }
    return "\"" + safe.replacing("\"", with: "\\\"") + "\""
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if (0x20...0x7E).contains(scalar.value) { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: return true
    default: return false
    }
  }
}
