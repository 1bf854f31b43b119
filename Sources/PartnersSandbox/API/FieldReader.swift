/// Reads the members of an object one by one and collects every mistake, not only the first.
///
/// Reports an unknown member as a mistake as well: API reference, Errors, calls a malformed body field 400, and
/// Authentication says that a `partnerId` is rejected.
struct FieldReader {
  private let members: [SandboxJSON.Member]
  private var asked: Set<String> = []
  private(set) var issues: [FieldIssue] = []

  init(_ members: [SandboxJSON.Member]) { self.members = members }

  /// True if the object has that member, `null` included.
  func holds(_ name: String) -> Bool { members.contains { $0.name == name } }

  mutating func report(_ name: String, _ message: String) { issues.append(FieldIssue(name, message)) }

  /// Returns the member's value; `nil` if it is missing or `null`.
  mutating func value(_ name: String) -> SandboxJSON? {
    asked.insert(name)
    guard let value = members.first(where: { $0.name == name })?.value, value != .null else { return nil }
    return value
  }

  /// Returns the member, read by `read`; reports it with `expected` if that returns `nil`.
  mutating func optional<Value>(
    _ name: String, _ expected: String, _ read: (SandboxJSON) -> Value?
  ) -> Value? {
    guard let value = value(name) else { return nil }
    if let result = read(value) { return result }
    report(name, expected)
    return nil
  }

  /// Reads as `optional` does, and reports a missing member.
  mutating func required<Value>(_ name: String, _ expected: String, _ read: (SandboxJSON) -> Value?) -> Value? {
    if value(name) == nil {
      report(name, "Required")
      return nil
    }
    return optional(name, expected, read)
  }

  /// Returns text that isn't blank.
  static func text(_ value: SandboxJSON) -> String? {
    guard let text = value.text, text.contains(where: { !$0.isWhitespace }) else { return nil }
    return text
  }

  /// Returns a whole number from 0 to what JSON readers of 64-bit floats take exactly, 2^53 − 1.
  static func count(_ value: SandboxJSON) -> Int64? {
    guard let number = value.wholeNumber, (0...9_007_199_254_740_991).contains(number) else { return nil }
    return number
  }

  /// Returns an object of at most 4 KiB, measured as compact JSON in UTF-8: API reference, The referral object.
  static func metadata(_ value: SandboxJSON) -> SandboxJSON? {
    guard value.members != nil, JSONWriter.bytes(of: value).count <= 4096 else { return nil }
    return value
  }

  static let metadataExpected = "Must be an object of at most 4 KiB"

  /// Reports every member that was not asked for.
  mutating func finish(_ message: (String) -> String) {
    for member in members where !asked.contains(member.name) { report(member.name, message(member.name)) }
  }
}

extension FieldReader {
  /// Returns the message about an unknown name.
  static func unknown(_ name: String) -> String {
    name == "partnerId" ? "Not accepted: the API key identifies the partner" : "Unknown field"
  }
}
