/// The request of `reload` to the daemon.
struct ReloadRequest: Codable, Sendable {
  /// The user who asks.
  var by: String
}

/// The answer to `reload`. The shape is a contract, like `StatusReport`'s.
struct ReloadReport: Codable, Sendable {
  var version = 1
  /// The exit status of the command: 0 where the file is in force.
  var status: Int32
  /// The sections that changed, such as `reporting`.
  var changed: [String]
  var warnings: [String]
  /// The reasons of a refusal, each with its place; empty where the file is in force.
  var reasons: [String]

  /// The change in words.
  var changes: String {
    changed.isEmpty ? "nothing in it has changed" : "changed: \(changed.joined(separator: ", "))"
  }
}
