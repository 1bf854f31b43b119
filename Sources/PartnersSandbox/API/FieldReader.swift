/// Reads the members of an object one by one and collects every mistake, not only the first.
///
/// A member that nobody asked for is a mistake as well: API reference, Errors, calls a malformed body field 400,
/// and Authentication says that a `partnerId` is rejected.
struct FieldReader {
  private let members: [SandboxJSON.Member]
  private var asked: Set<String> = []
  private(set) var issues: [FieldIssue] = []

  init(_ members: [SandboxJSON.Member]) { self.members = members }

  /// Whether the object has that member, `null` included.
  func holds(_ name: String) -> Bool { members.contains { $0.name == name } }

  mutating func report(_ name: String, _ message: String) { issues.append(FieldIssue(name, message)) }

  /// The member's value; `nil` where it is missing or `null`.
  mutating func value(_ name: String) -> SandboxJSON? {
    asked.insert(name)
    guard let value = members.first(where: { $0.name == name })?.value, value != .null else { return nil }
    return value
  }

  /// The member, read by `read`; reported with `expected` where that returns `nil`.
  mutating func optional<Value>(
    _ name: String, _ expected: String, _ read: (SandboxJSON) -> Value?
  ) -> Value? {
    guard let value = value(name) else { return nil }
    if let result = read(value) { return result }
    report(name, expected)
    return nil
  }

  /// As `optional`, and reported where it is missing.
  mutating func required<Value>(_ name: String, _ expected: String, _ read: (SandboxJSON) -> Value?) -> Value? {
    if value(name) == nil {
      report(name, "Required")
      return nil
    }
    return optional(name, expected, read)
  }

  /// Text that isn't blank.
  static func text(_ value: SandboxJSON) -> String? {
    guard let text = value.text, text.contains(where: { !$0.isWhitespace }) else { return nil }
    return text
  }

  /// A whole number from 0 to what JSON readers of 64-bit floats take exactly, 2^53 − 1.
  static func count(_ value: SandboxJSON) -> Int64? {
    guard let number = value.wholeNumber, (0...9_007_199_254_740_991).contains(number) else { return nil }
    return number
  }

  /// An object of at most 4 KiB, measured as compact JSON in UTF-8: API reference, The referral object.
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
  /// What an unknown name is told.
  static func unknown(_ name: String) -> String {
    name == "partnerId" ? "Not accepted: the API key identifies the partner" : "Unknown field"
  }
}
