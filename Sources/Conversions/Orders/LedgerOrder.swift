/// An order as the ledger remembers it. A class, as hundreds are handed on at once, each many times.
public final class LedgerOrder: Sendable {
  /// Its number in the ledger.
  public let entry: EntryID
  /// The row as the shop's table last showed it.
  public let row: OrderRow
  /// The outcome in which it stands.
  public let outcome: Outcome
  /// The reason, in a code.
  public let reason: String?
  /// The reason, in a sentence.
  public let detail: String?
  /// The referral it was matched to.
  public let referralID: ReferralID?
  /// True if it holds that referral against rivals.
  public let claims: Bool
  /// The value to report, in cents.
  public let value: Int64?
  /// The time at which it was first seen.
  public let firstSeenAt: Timestamp
  /// The time at which its outcome was last set.
  public let decidedAt: Timestamp?
  /// The time at which it is looked at next, to decide or to send; nil for not by time.
  public let dueAt: Timestamp?
  /// True if it was taken in while the first walk was under way.
  public let isBackfill: Bool
  /// True if it qualified at any time before.
  public let hadQualified: Bool
  /// The number of times that 404 has taken it back to matching.
  public let rematches: Int
  /// True if another row has the same transaction ID.
  public let idIsRepeated: Bool
  /// True if changed rules made it sendable, and no operator has released it since.
  public let isOpenedByRules: Bool
  /// True while the shop has yet to tell that those rows are still there.
  public let idIsUnproven: Bool
  /// The way in which the row differs from what was reported; nil where it doesn't, or nothing was.
  public let changedSince: ChangeAfterReport?
  /// The report, once it is frozen.
  public let frozen: FrozenReport?

  /// Makes an order from its values.
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

  /// True if a send of it may have been done: the same bytes are sent again then, whatever else changes. An order whose
  /// sends were all refused for sure counts as never sent.
  public var mayHaveBeenDone: Bool { frozen?.hasUnknownOutcome ?? false }

  /// The value with which it was reported, or would be. One that counts as reported by the API's word alone has no report
  /// here; it was decided by the same value.
  public var reportedValue: Int64? { frozen.map(\.report.value) ?? value }

  /// The order as the shop's table last showed it, where it could be read.
  public var order: Order? {
    if case .readable(let order) = row { order } else { nil }
  }
}

extension LedgerOrder: Equatable {
  /// True if both hold the same values.
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
  /// The time at which it was frozen.
  public var frozenAt: Timestamp
  /// The time at which its first send began that may have been done; where surely none was, that of the last send.
  public var firstSentAt: Timestamp?
  /// The time at which its last send began.
  public var lastSentAt: Timestamp?
  /// True if a send may have been done without our knowing.
  public var hasUnknownOutcome: Bool
  /// The number of sends that count as attempts.
  public var attempts: Int

  /// Makes a frozen report from its values.
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

/// One attempt, as `queue show` lists it.
public struct Attempt: Hashable, Sendable {
  /// The number, from 1 for each order.
  public var number: Int
  /// The time at which it began.
  public var startedAt: Timestamp
  /// The time that it took; nil while under way, or where the daemon ended in the middle.
  public var duration: Duration?
  /// The HTTP status of the answer.
  public var httpStatus: Int?
  /// The verdict in a word: reported, unknown, not_done, halt, review ...
  public var verdict: String?
  /// The verdict in a sentence.
  public var detail: String?

  /// Makes an attempt from its values.
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
