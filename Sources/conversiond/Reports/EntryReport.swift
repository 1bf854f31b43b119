import Conversions

/// One order of the ledger, as `queue list` and `queue show` tell it. The shape is a contract, like `StatusReport`'s.
struct EntryReport: Codable, Sendable {
  struct Send: Codable, Sendable {
    var attempt: Int
    var startedAt: String
    var durationMilliseconds: Int64?
    var httpStatus: Int?
    var verdict: String?
    var detail: String?
  }

  struct Candidate: Codable, Sendable {
    var referral: String
    var matchedBy: String
    var verdict: String
  }

  /// An operator's word that stands, whatever the order's state.
  struct Act: Codable, Sendable {
    var act: String
    var by: String
    var at: String
    var reason: String?
  }

  var version = 1
  var id: Int64
  var order: String
  var key: String
  var state: String
  var reason: String?
  var detail: String?
  var referral: String?
  var valueCents: Int64?
  var email: String?
  var externalSourceId: String?
  var placedAt: String?
  var firstSeenAt: String
  var decidedAt: String?
  var dueAt: String?
  var attempts: Int
  var unknownOutcome: Bool
  /// The evidence of a reported order that is known as such by the API alone: `API`.
  var evidence: String?
  /// The way in which the row differs from what was reported.
  var changedSince: String?
  /// The amount that it would be reported with now, where that is known to be another than was reported.
  var presentValueCents: Int64?
  /// The operator's act on it; nil in a list.
  var operatorAct: Act?
  var body: String?
  var sends: [Send]?
  var candidates: [Candidate]?
}

/// The question for all that is known of an order, by its ID, or by an entry's number as `#210`.
struct OrderQuestion: Codable, Sendable {
  var order: String
}

/// A page of entries, and the entry behind which the next page begins, if there is one.
struct EntryPage: Codable, Sendable {
  var version = 1
  var entries: [EntryReport]
  var nextAfter: Int64?
  /// On the last page, the orders in these states that left nothing but a count, and those that left no more than a line;
  /// nil where the entries are asked for by more than their state.
  var countedOnly: Int?
  var settledOnly: Int?
}

/// The reason why the daemon couldn't answer.
struct ControlError: Codable, Sendable {
  var version = 1
  var error: String
  var status: Int32
}
