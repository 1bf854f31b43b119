import Conversions
import Foundation
import GRDB

/// How an order's row of the ledger is read.
enum OrderCoding {
  /// Everything that `order(from:)` needs.
  static let select = """
    SELECT o.*, r.referral_id AS report_referral_id, r.transaction_id AS report_transaction_id,
      r.value AS report_value, r.body, r.frozen_at, r.first_sent_at, r.last_sent_at, r.is_unknown, r.attempts,
      EXISTS (SELECT 1 FROM orders t WHERE t.transaction_id = o.transaction_id AND t.transaction_id <> t.key
          AND t.entry <> o.entry)
        OR EXISTS (SELECT 1 FROM orders t WHERE t.key = o.transaction_id AND t.transaction_id = o.transaction_id
          AND t.entry <> o.entry)
        OR EXISTS (SELECT 1 FROM settled t WHERE t.transaction_id = o.transaction_id AND t.transaction_id <> t.key
          AND t.key <> o.key)
        OR EXISTS (SELECT 1 FROM settled t WHERE t.key = o.transaction_id AND t.transaction_id = o.transaction_id
          AND t.key <> o.key) AS is_repeated
    FROM orders o LEFT JOIN reports r ON r.entry = o.entry
    """

  static func order(from row: Row) throws -> LedgerOrder {
    guard let outcome = Outcome(rawValue: row["outcome"]) else {
      throw LedgerFailure(.damaged, "ledger: entry \(row["entry"] as Int64) has no known outcome")
    }
    let sendAt: Int64? = row["send_at"]
    let decideAt: Int64? = row["decide_at"]
    return LedgerOrder(
      entry: EntryID(row["entry"]), row: shopRow(from: row), outcome: outcome, reason: row["reason"],
      detail: row["detail"], referralID: (row["referral_id"] as String?).map(ReferralID.init),
      claims: row["claims"], value: row["value"], firstSeenAt: Timestamp(microseconds: row["first_seen_at"]),
      decidedAt: time(row["decided_at"]), dueAt: time(outcome == .queued ? sendAt : decideAt),
      isBackfill: row["is_backfill"], hadQualified: row["had_qualified"], idIsRepeated: row["is_repeated"],
      frozen: frozen(from: row))
  }

  private static func shopRow(from row: Row) -> OrderRow {
    let key = OrderKey(row["key"])
    let transactionText: String? = row["transaction_id"]
    if row["unreadable_reason"] == nil, let transactionID = transactionText.flatMap(TransactionID.init) {
      return .readable(readable(from: row, key: key, transactionID: transactionID))
    }
    let reason: String? = row["unreadable_reason"]
    return .unreadable(
      UnreadableOrder(
        key: key, transactionID: transactionText, reason: reason.map(ReviewReason.init) ?? .unreadable,
        detail: row["unreadable_detail"] ?? ""))
  }

  private static func readable(from row: Row, key: OrderKey, transactionID: TransactionID) -> Order {
    let total: String? = row["total"]
    let earliest = Timestamp(microseconds: row["placed_from"] ?? 0)
    return Order(
      key: key, transactionID: transactionID, email: (row["email"] as String?).map(EmailAddress.init(normalForm:)),
      externalSourceID: (row["external_source_id"] as String?).map(ExternalSourceID.init(normalForm:)),
      customerID: row["customer_id"],
      total: row["total_mapped"] ? total.map { .amount($0, currency: row["currency"]) } ?? .null : .unmapped,
      status: row["status"], qualifies: row["qualifies"],
      placedAt: PlacedAt(earliest: earliest, latest: Timestamp(microseconds: row["placed_to"] ?? 0)),
      metadata: row["metadata"])
  }

  private static func frozen(from row: Row) -> FrozenReport? {
    guard let body: Data = row["body"], let transactionID = TransactionID(row["report_transaction_id"] ?? "") else {
      return nil
    }
    let report = ConversionReport(
      referralID: ReferralID(row["report_referral_id"]), transactionID: transactionID, value: row["report_value"],
      body: Array(body))
    return FrozenReport(
      report: report, frozenAt: Timestamp(microseconds: row["frozen_at"]), firstSentAt: time(row["first_sent_at"]),
      lastSentAt: time(row["last_sent_at"]), hasUnknownOutcome: row["is_unknown"], attempts: row["attempts"])
  }

  static func time(_ microseconds: Int64?) -> Timestamp? {
    microseconds.map(Timestamp.init(microseconds:))
  }
}
