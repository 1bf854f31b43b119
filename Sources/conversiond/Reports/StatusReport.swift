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

  struct Halt: Codable, Sendable {
    var reason: String
    var detail: String
    /// The act that ends it.
    var remedy: String
    var since: String

    /// The halt in words, with its remedy.
    var words: String {
      "\(reason): \(HaltReason(rawValue: reason)?.withRemedy(detail) ?? "\(detail); \(remedy)")"
    }
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
  /// The time before which nothing is sent that was never sent, as the ledger was restored or rebuilt; nil where nothing
  /// waits for it.
  var quietUntil: String?
  var outcomes: [Count]
  var today: [String: Int]
  /// The time until all that is queued is sent; nil while something keeps it from being sent.
  var drainSeconds: Int64?
  /// The halt of all sending, which only a person's doing ends.
  var halt: Halt?
  /// Reported orders that are not what was reported any more, by kind.
  var changedSince: [String: Int]?
  /// Orders that are held until an operator releases them, as changed rules had made them sendable.
  var heldByRules: Int?
  /// Orders that are held as their rows are missing together with many.
  var heldMissing: Int?
  /// The advice on what to do, set while every order's ID is another's to the API.
  var conflicts: String?

  /// A configuration on the disk that the daemon refused to load; nil once one was taken.
  struct ReloadRefused: Codable, Sendable {
    var since: String
    /// Every reason, each with its place.
    var reasons: [String]

    init(_ refusal: Reloader.Refusal) { (since, reasons) = (refusal.since.description, refusal.reasons) }
  }
  var reloadRefused: ReloadRefused?

  /// Doubts about the mapping, each with what to write.
  var doubts: [String]?
  /// Orders that wait as a referral with a key of theirs can't be read.
  var waitingForUnreadable: Int?

  /// The reports that wait, sent when their time has come.
  struct Waiting: Codable, Sendable {
    var reports: Int
    var cents: Int64
    /// The time at which the first of those that nothing holds is due.
    var nextAt: String?
  }
  var waiting: Waiting?

  /// The number of orders in review.
  var inReview: Int { outcomes.first { $0.outcome == Outcome.review.rawValue }?.count ?? 0 }

  /// True if a person is to look at orders, or at what halts their sending.
  var needsPerson: Bool {
    inReview > 0 || halt != nil || conflicts != nil || heldByRules != nil || heldMissing != nil
      || !(doubts ?? []).isEmpty || reloadRefused != nil || waitingForUnreadable != nil
      || (changedSince ?? [:]).values.contains { $0 > 0 }
  }

  /// True if everything works.
  var isWorking: Bool {
    state == "running" && ![database, api, delivery, ledgerHealth].contains { $0.state == "failing" }
      && mirror.distrust == nil && clock?.state != "unconfirmed"
  }
}
