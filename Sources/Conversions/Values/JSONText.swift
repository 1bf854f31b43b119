/// JSON written by hand, for bodies whose bytes are frozen: the same values must give the same bytes in every version,
/// which an encoder's key order and escapes don't promise.
public enum JSONText {
  /// Returns a JSON string literal (RFC 8259, 7): quotes, backslashes and control characters escaped, the rest as
  /// UTF-8.
  public static func string(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c && $0 != 0x7f }
    if isPlain { return "\"\(text)\"" }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..."\u{1F}", "\u{7F}": result += escaped(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Returns a JSON object of members whose values are JSON already, in the order given.
  public static func object(_ members: [(name: String, json: String)]) -> String {
    var result = "{"
    for (index, member) in members.enumerated() {
      if index > 0 { result += "," }
      result += string(member.name)
      result += ":"
      result += member.json
    }
    return result + "}"
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
