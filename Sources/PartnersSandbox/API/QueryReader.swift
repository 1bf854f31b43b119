/// The parameters of a query string, each taken once.
struct QueryReader {
  private var values: [String: String] = [:]
  private var names: [String] = []
  private var asked: Set<String> = []
  private(set) var issues: [FieldIssue] = []

  /// Splits and decodes a raw query; what can't be decoded or is repeated becomes an issue.
  init(_ query: String?) {
    for part in (query ?? "").split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentCoding.decoded(halves[0], plusIsSpace: true) else {
        issues.append(FieldIssue(String(halves[0]), "Malformed percent-encoding"))
        continue
      }
      guard let value = PercentCoding.decoded(halves.count > 1 ? halves[1] : "", plusIsSpace: true) else {
        issues.append(FieldIssue(name, "Malformed percent-encoding"))
        asked.insert(name)
        continue
      }
      if values.updateValue(value, forKey: name) != nil {
        issues.append(FieldIssue(name, "Given more than once"))
      } else {
        names.append(name)
      }
    }
  }

  /// Returns the parameter, read by `read`; reports it with `expected` if that returns `nil`.
  mutating func optional<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?) -> Value? {
    asked.insert(name)
    guard let value = values[name] else { return nil }
    if let result = read(value) { return result }
    issues.append(FieldIssue(name, expected))
    return nil
  }

  /// Throws 400 if anything was wrong, unknown parameters included.
  mutating func finish() throws(APIError) {
    for name in names where !asked.contains(name) {
      let message = name == "partnerId" ? FieldReader.unknown(name) : "Unknown query parameter"
      issues.append(FieldIssue(name, message))
    }
    if !issues.isEmpty { throw .validation(issues) }
  }
}
