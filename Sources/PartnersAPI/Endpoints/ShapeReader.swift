/// Reads the members of one object as the reference promises them. Members that it doesn't name are passed over.
struct ShapeReader {
  /// The object.
  let value: JSONValue
  /// The object's name in an error.
  let name: String

  /// Makes a reader of an object.
  init(_ value: JSONValue, _ name: String) throws(ShapeMismatch) {
    guard case .object = value else { throw ShapeMismatch("\(name) is no object") }
    (self.value, self.name) = (value, name)
  }

  /// Reads a string that must be there.
  func text(_ member: String) throws(ShapeMismatch) -> String {
    guard let text = try optionalText(member) else { throw missing(member) }
    return text
  }

  /// Reads a string that may be missing or null.
  func optionalText(_ member: String) throws(ShapeMismatch) -> String? {
    guard let value = value[member] else { return nil }
    guard let text = value.text else { throw ShapeMismatch("\(name).\(member) is no string") }
    return text
  }

  /// Reads a whole number that must be there.
  func integer(_ member: String) throws(ShapeMismatch) -> Int64 {
    guard let integer = try optionalInteger(member) else { throw missing(member) }
    return integer
  }

  /// Reads a whole number that may be missing or null.
  func optionalInteger(_ member: String) throws(ShapeMismatch) -> Int64? {
    guard let value = value[member] else { return nil }
    guard let integer = value.integer else { throw ShapeMismatch("\(name).\(member) is no whole number") }
    return integer
  }

  /// Reads `true` or `false`, which must be there.
  func bool(_ member: String) throws(ShapeMismatch) -> Bool {
    guard let value = value[member] else { throw missing(member) }
    guard let bool = value.bool else { throw ShapeMismatch("\(name).\(member) is neither true nor false") }
    return bool
  }

  /// Reads a decimal string of cents such as "12999" (API reference, The referral object): digits alone, and no more
  /// than fit.
  func optionalCents(_ member: String) throws(ShapeMismatch) -> Int64? {
    guard let text = try optionalText(member) else { return nil }
    let isDigits = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    guard isDigits, let cents = Int64(text) else {
      throw ShapeMismatch("\(name).\(member) is no decimal string of cents")
    }
    return cents
  }

  /// Returns an error for a member that is not there.
  func missing(_ member: String) -> ShapeMismatch { ShapeMismatch("\(name).\(member) is missing") }
}
