import Conversions
import Foundation
import GRDB

/// The rest that `ledger.retain` leaves of a finished order, and how the order comes back.
///
/// A finished order's rows go; in their place a row of `settled` holds its key, the digest of its content, its
/// transaction ID, its outcome and its referral. That is what keeps it from being reported again (nothing is reported
/// twice), although the shop's row is read again every day:
///
/// - Its key is among the known ones, so the row is looked at closely; its digest is the same, so nothing happens.
/// - If the row has changed, the order comes back first as it was, with its report, and then all rules apply to it
///   as if it had never been removed: a reported one stays reported, or goes to review as `id_reused`. The next run of
///   retention removes it again.
/// - Another row with its transaction ID is still `id_repeated`.
extension SQLiteTransaction: RetentionRecords {
  /// The statement that settles the entries in a JSON array, `?1`.
  private static let archive = """
    INSERT OR REPLACE INTO settled (key, entry, digest, transaction_id, outcome, referral_id, value, sent_id, placed_from,
      decided_at)
    SELECT o.key, o.entry, o.digest, o.transaction_id, o.outcome, coalesce(r.referral_id, o.referral_id),
      coalesce(r.value, o.value), r.transaction_id, o.placed_from, o.decided_at
    FROM orders o LEFT JOIN reports r ON r.entry = o.entry
    WHERE o.entry IN (SELECT value FROM json_each(?1)) AND o.decide_at IS NULL
      AND (o.outcome IN ('reported', 'superseded') OR r.entry IS NULL OR r.is_unknown = 0)
      AND (o.claims = 0 OR EXISTS (SELECT 1 FROM referrals m WHERE m.id = o.referral_id AND m.status = 'converted'))
    """

  func removeFinished(
    decidedBefore time: Timestamp, from place: RetentionPlace?, limit: Int
  ) throws -> (removed: Int, next: RetentionPlace?) {
    let earliest = Timestamp(microseconds: .min)
    let from = place ?? RetentionPlace(outcome: Outcome.finished[0], decidedAt: earliest, entry: EntryID(0))
    let rows = try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT entry, decided_at FROM orders
          WHERE outcome = ?1 AND decided_at >= ?2 AND decided_at < ?3 AND (decided_at > ?2 OR entry > ?4)
          ORDER BY decided_at, entry LIMIT ?5
          """),
      arguments: [
        from.outcome.rawValue, from.decidedAt.microseconds, time.microseconds, from.entry.number, limit,
      ])
    var removed = 0
    if !rows.isEmpty {
      let numbers = try rows.map { try $0.decode(Int64.self, forColumn: "entry") }
      let entries = "[" + numbers.map(String.init).joined(separator: ",") + "]"
      try execute(Self.archive, [entries])
      // Its report and its sends go with it.
      try execute(
        """
        DELETE FROM orders WHERE entry IN (SELECT value FROM json_each(?1))
          AND EXISTS (SELECT 1 FROM settled s WHERE s.key = orders.key)
        """, [entries])
      removed = db.changesCount
    }
    if rows.count == limit, let last = rows.last {
      let reached = Timestamp(microseconds: try last.decode(forColumn: "decided_at"))
      let entry = EntryID(try last.decode(forColumn: "entry"))
      return (removed, RetentionPlace(outcome: from.outcome, decidedAt: reached, entry: entry))
    }
    let following = Outcome.finished.drop { $0 != from.outcome }.dropFirst().first
    return (removed, following.map { RetentionPlace(outcome: $0, decidedAt: earliest, entry: EntryID(0)) })
  }

  /// Identifies a row whose key is none of the orders'.
  func identifySettled(_ row: OrderRow) throws -> RowStanding {
    let sql = "SELECT digest, coalesce(transaction_id, sent_id) FROM settled WHERE key = ?"
    let found = try first(sql, [row.key.text]) { (digest: $0.integer(0), id: $0.text(1)) }
    guard let found else { return try identify(byIDOf: row) }
    if found.digest == row.digest.bits { return .unchanged }
    if row.mayBe(found.id) { return .changed(try bringBack(row.key)) }
    try loseKeyOfSettled(row.key)
    return try identify(byIDOf: row)
  }

  /// Makes a removed order an order again, as far as it is known: all that the shop shows comes with its row.
  func bringBack(_ key: OrderKey) throws -> EntryID {
    let found = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT * FROM settled WHERE key = ?"), arguments: [key.text])
    guard let row = found else { throw LedgerFailure(.damaged, "ledger: an index of settled orders is damaged") }
    let entry: Int64 = try row.decode(forColumn: "entry")
    let decidedAt: Int64 = try row.decode(forColumn: "decided_at")
    let referral: String? = try row.decode(forColumn: "referral_id")
    if let referral { known.insert(claimOf: ReferralID(referral)) }
    try execute(
      """
      INSERT INTO orders (entry, key, digest, transaction_id, had_qualified, placed_from, placed_to, is_backfill,
        first_seen_at, outcome, referral_id, claims, value, decided_at)
      SELECT entry, key, digest, transaction_id, 1, placed_from, placed_from, 1, decided_at, outcome, referral_id,
        outcome = 'reported' AND referral_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM orders c WHERE c.referral_id = s.referral_id AND c.claims = 1),
        value, decided_at
      FROM settled s WHERE key = ?
      """, [key.text])
    if let referral, let sentID = try row.decode(String?.self, forColumn: "sent_id").flatMap(TransactionID.init) {
      // Without its metadata, which is never sent again: the order is decided.
      let report = ConversionReport(
        referralID: ReferralID(referral), transactionID: sentID, value: try row.decode(forColumn: "value"),
        metadata: nil)
      try execute(
        """
        INSERT INTO reports (entry, referral_id, transaction_id, value, body, frozen_at, first_sent_at, last_sent_at,
          attempts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, 1)
        """, [entry, referral, sentID.text, report.value, Data(report.body), decidedAt])
    }
    try execute("DELETE FROM settled WHERE key = ?", [key.text])
    return EntryID(entry)
  }

  /// Returns true if a removed order with another key had this transaction ID.
  func isSettled(_ transactionID: String, except key: OrderKey) throws -> Bool {
    try Int.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT 1 FROM settled WHERE transaction_id = ?1 AND transaction_id <> key AND key <> ?2 AND \(Self.hasRow)
          UNION ALL SELECT 1 FROM settled WHERE key = ?1 AND transaction_id = ?1 AND key <> ?2 LIMIT 1
          """), arguments: [transactionID, key.text]) != nil
  }
}
