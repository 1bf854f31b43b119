/// A JSON value as it was written: numbers keep their text, so that none is rounded to a floating-point number
/// unnoticed.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// The number's text, by the grammar of RFC 8259, 6.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Returns the member of an object; nil for none, for null, and for a value that is no object.
  subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self, let value = members[name], value != .null else { return nil }
    return value
  }

  /// The text of a string.
  var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value of `true` and `false`.
  var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The elements of an array.
  var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The exact value of a whole number: `12`, and also `12.0` and `1.2e1` up to 2^53, where each `Double` is one
  /// number.
  var integer: Int64? {
    guard case .number(let text) = self else { return nil }
    if let value = Int64(text) { return value }
    guard let double = Double(text), abs(double) <= 9_007_199_254_740_992 else { return nil }
    return Int64(exactly: double)
  }

  /// Returns the number that the whole of a text is; nil for anything else.
  static func number(in text: String) -> JSONValue? {
    guard let value = try? JSONParser.parse(Array(text.utf8)), case .number = value else { return nil }
    return value
  }
}
