import Conversions

/// The report of `status`, as the daemon tells it over the control socket and `--json` prints it. The shape is a
/// contract with its readers: a change that removes or renames anything raises `version`.
struct StatusReport: Codable, Sendable {
  struct Health: Codable, Sendable {
    var state: String
    var since: String?
    var message: String?
  }

  struct Mirror: Codable, Sendable {
    var entries: [String: Int]
    var completeSweepAt: String?
    var ageSeconds: Int64?
    var distrust: String?
  }

  struct Count: Codable, Sendable {
    var outcome: String
    var count: Int
    var oldestSeconds: Int64?
  }

  var version = 1
  var state: String
  var program: String
  var ledger: String
  var dryRun: Bool
  var pid: Int32?
  var startedAt: String?
  var now: String
  var database: Health
  var api: Health
  var delivery: Health
  var ledgerHealth: Health
  /// The host's clock: `unconfirmed` where nothing ends by it, and nothing is sent for the first time.
  var clock: Health?
  var mirror: Mirror
  var caughtUpAt: String?
  var lastWalkAt: String?
  var outcomes: [Count]
  var today: [String: Int]
  var drainSeconds: Int64?
  /// Reported orders that are not what was reported any more, by kind.
  var changedSince: [String: Int]?
  /// Orders that are held until an operator releases them, as changed rules had made them sendable.
  var heldByRules: Int?
  /// Orders that are held as their rows are missing together with many.
  var heldMissing: Int?
  /// The advice on what to do, set while every order's ID is another's to the API.
  var conflicts: String?

  /// True if everything works, so that `status` ends with 0.
  var isWorking: Bool {
    state == "running" && ![database, api, delivery, ledgerHealth].contains { $0.state == "failing" }
      && mirror.distrust == nil && clock?.state != "unconfirmed"
  }
}
