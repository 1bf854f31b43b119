/// An order as the ledger remembers it. One object, as hundreds are handed on at once, each by many hands.
public final class LedgerOrder: Sendable {
  /// Its number in the ledger.
  public let entry: EntryID
  /// What the shop's table last showed.
  public let row: OrderRow
  /// Where it stands.
  public let outcome: Outcome
  /// Why, in a code.
  public let reason: String?
  /// Why, in a sentence.
  public let detail: String?
  /// The referral it was matched to.
  public let referralID: ReferralID?
  /// Whether it holds that referral against rivals.
  public let claims: Bool
  /// The value to report, in cents.
  public let value: Int64?
  /// When it was first seen.
  public let firstSeenAt: Timestamp
  /// When its outcome was last set.
  public let decidedAt: Timestamp?
  /// When it is looked at next, to decide or to send; nil for not by time.
  public let dueAt: Timestamp?
  /// Whether it was taken in while the first walk was under way.
  public let isBackfill: Bool
  /// Whether it qualified at any time before.
  public let hadQualified: Bool
  /// How often 404 has taken it back to matching.
  public let rematches: Int
  /// Whether another row has the same transaction ID.
  public let idIsRepeated: Bool
  /// Whether changed rules made it sendable, and no operator has released it since.
  public let isOpenedByRules: Bool
  /// Whether the shop has yet to tell that those rows are still there.
  public let idIsUnproven: Bool
  /// How the row differs from what was reported; nil where it doesn't, or nothing was.
  public let changedSince: ChangeAfterReport?
  /// The report, once it is frozen.
  public let frozen: FrozenReport?

  /// An order from its values.
  public init(
    entry: EntryID, row: OrderRow, outcome: Outcome, reason: String?, detail: String?, referralID: ReferralID?,
    claims: Bool, value: Int64?, firstSeenAt: Timestamp, decidedAt: Timestamp?, dueAt: Timestamp?, isBackfill: Bool,
    hadQualified: Bool, rematches: Int = 0, idIsRepeated: Bool, idIsUnproven: Bool = false,
    isOpenedByRules: Bool = false, changedSince: ChangeAfterReport? = nil, frozen: FrozenReport?
  ) {
    self.entry = entry
    self.row = row
    self.outcome = outcome
    self.reason = reason
    self.detail = detail
    self.referralID = referralID
    self.claims = claims
    self.value = value
    self.firstSeenAt = firstSeenAt
    self.decidedAt = decidedAt
    self.dueAt = dueAt
    self.isBackfill = isBackfill
    self.hadQualified = hadQualified
    self.rematches = rematches
    self.idIsRepeated = idIsRepeated
    self.isOpenedByRules = isOpenedByRules
    self.idIsUnproven = idIsUnproven
    self.changedSince = changedSince
    self.frozen = frozen
  }

  /// The order's ID as people know it.
  public var orderID: String { row.orderID }

  /// Whether a send of it may have been done: the same bytes are sent again then, whatever else changes. One whose sends
  /// were all refused for sure counts as never sent.
  public var mayHaveBeenDone: Bool { frozen?.hasUnknownOutcome ?? false }

  /// What the shop's table last showed, where it could be read.
  public var order: Order? {
    if case .readable(let order) = row { order } else { nil }
  }
}

extension LedgerOrder: Equatable {
  /// Whether both hold the same values.
  public static func == (one: LedgerOrder, other: LedgerOrder) -> Bool {
    (one.entry, one.row, one.outcome, one.reason, one.detail, one.referralID)
      == (other.entry, other.row, other.outcome, other.reason, other.detail, other.referralID)
      && (one.claims, one.value, one.firstSeenAt, one.decidedAt, one.dueAt)
        == (other.claims, other.value, other.firstSeenAt, other.decidedAt, other.dueAt)
      && (one.changedSince, one.idIsUnproven, one.isOpenedByRules)
        == (other.changedSince, other.idIsUnproven, other.isOpenedByRules)
      && (one.isBackfill, one.hadQualified, one.rematches, one.idIsRepeated, one.frozen)
        == (other.isBackfill, other.hadQualified, other.rematches, other.idIsRepeated, other.frozen)
  }
}

/// A report that was sent, or is about to be, with the history of its sends.
public struct FrozenReport: Hashable, Sendable {
  /// Referral, transaction ID and body: the same for every send.
  public var report: ConversionReport
  /// When it was frozen.
  public var frozenAt: Timestamp
  /// When its first send began that may have been done; of one that surely wasn't, when the last began.
  public var firstSentAt: Timestamp?
  /// When its last send began.
  public var lastSentAt: Timestamp?
  /// Whether a send may have been done without our knowing.
  public var hasUnknownOutcome: Bool
  /// Sends that count as attempts.
  public var attempts: Int

  /// A frozen report from its values.
  public init(
    report: ConversionReport, frozenAt: Timestamp, firstSentAt: Timestamp?, lastSentAt: Timestamp?,
    hasUnknownOutcome: Bool, attempts: Int
  ) {
    self.report = report
    self.frozenAt = frozenAt
    self.firstSentAt = firstSentAt
    self.lastSentAt = lastSentAt
    self.hasUnknownOutcome = hasUnknownOutcome
    self.attempts = attempts
  }
}

/// One send, as `queue show` lists it.
public struct Attempt: Hashable, Sendable {
  /// From 1 for each order.
  public var number: Int
  /// When it began.
  public var startedAt: Timestamp
  /// How long it took; nil while under way, or where the daemon ended in the middle.
  public var duration: Duration?
  /// The HTTP status of the answer.
  public var httpStatus: Int?
  /// What it came to, in a word: reported, unknown, not_done, halt, review ...
  public var verdict: String?
  /// What it came to, in a sentence.
  public var detail: String?

  /// A send from its values.
  public init(
    number: Int, startedAt: Timestamp, duration: Duration?, httpStatus: Int?, verdict: String?, detail: String?
  ) {
    self.number = number
    self.startedAt = startedAt
    self.duration = duration
    self.httpStatus = httpStatus
    self.verdict = verdict
    self.detail = detail
  }
}
