import Conversions
import Foundation
import GRDB

extension SQLiteTransaction: DeliveryRecords {
  func nextToSend(
    at now: Timestamp, seenUpTo: Timestamp, after place: QueuePlace?, limit: Int
  ) throws -> [LedgerOrder] {
    // By outcome alone, all of a long queue would be read and sorted for each look at its head.
    let condition = """
       WHERE o.outcome = 'queued' AND o.send_at <= ? AND o.decide_at IS NULL AND (o.first_seen_at <= ? OR r.is_unknown = 1)
        AND r.is_sending IS NOT 1\(place == nil ? "" : " AND (o.is_backfill, o.send_at, o.entry) > (?, ?, ?)")
      ORDER BY o.is_backfill, o.send_at, o.entry LIMIT ?
      """
    var arguments: StatementArguments = [now.microseconds, seenUpTo.microseconds]
    if let place { arguments += [place.isBackfill, place.dueAt.microseconds, place.entry.number] }
    return try orders(condition, select: OrderCoding.selectToSend, arguments + [limit])
  }

  func nextSendAt() throws -> Timestamp? {
    // Two ends of the index instead of all of it, but for the few that are being sent.
    let first = """
      SELECT send_at FROM orders INDEXED BY orders_to_send WHERE outcome = 'queued' AND is_backfill = ?
        AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry AND r.is_sending = 1)
      ORDER BY send_at LIMIT 1
      """
    let ends = try [0, 1].compactMap { try Int64.fetchOne(db.cachedStatement(sql: first), arguments: [$0]) }
    return OrderCoding.time(ends.min())
  }

  func beginSend(_ entry: EntryID, _ report: ConversionReport, at now: Timestamp) throws -> Int {
    // An earlier send that was surely not done converted nothing: a conversion of that time is another program's.
    let freezing = """
      INSERT INTO reports (entry, referral_id, transaction_id, value, body, frozen_at, first_sent_at, last_sent_at,
        is_sending)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, 1)
      ON CONFLICT (entry) DO UPDATE SET last_sent_at = excluded.last_sent_at, is_sending = 1,
        first_sent_at = CASE WHEN is_unknown THEN coalesce(first_sent_at, excluded.first_sent_at)
          ELSE excluded.first_sent_at END
      """
    try execute(
      freezing,
      [
        entry.number, report.referralID.text, report.transactionID.text, report.value, Data(report.body),
        now.microseconds,
      ])
    let standing = """
      SELECT (SELECT max(number) FROM attempts a WHERE a.entry = o.entry), decide_at FROM orders o WHERE o.entry = ?
      """
    let stands = try first(standing, [entry.number]) {
      (attempts: $0.integer(0) ?? 0, isToDecide: $0.time(1) != nil)
    }
    // An order that is being sent is decided by its answer alone.
    if stands?.isToDecide ?? false {
      try execute("UPDATE orders SET decide_at = NULL WHERE entry = ?", [entry.number])
    }
    return try OrderCoding.count(stands?.attempts ?? 0) + 1
  }

  func finishSend(
    _ entry: EntryID, _ report: ConversionReport, attempt: Attempt, result: SendResult, at now: Timestamp
  ) throws {
    let ended = """
      INSERT INTO attempts (entry, number, started_at, duration, http_status, verdict, detail)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
      """
    try execute(
      ended,
      [
        entry.number, attempt.number, attempt.startedAt.microseconds, attempt.duration?.wholeMicroseconds,
        attempt.httpStatus, attempt.verdict, attempt.detail,
      ])
    // A commit that failed may have been kept all the same, and with it this attempt.
    guard db.changesCount > 0 else { return }
    // Its bytes may have left only now, however long ago it was marked.
    let counting = """
      UPDATE reports SET is_sending = 0, is_unknown = is_unknown OR ?1, attempts = attempts + ?2,
        last_sent_at = CASE WHEN ?1 THEN max(last_sent_at, ?3) ELSE last_sent_at END WHERE entry = ?4
      """
    try execute(counting, [result.isUnknown, result.counts ? 1 : 0, now.microseconds, entry.number])
    let order = result.order(mayBeDone: try isUnknown(entry), at: now)
    try store(entry, report, order, detail: attempt.detail, at: now)
  }

  private func store(
    _ entry: EntryID, _ report: ConversionReport, _ order: OrderAfterSend, detail: String?, at now: Timestamp
  ) throws {
    if order.isUnfrozen { try unfreeze(entry) }
    if let time = order.sendAt {
      try postpone(entry, until: time, reason: order.reason ?? "", detail: detail ?? "")
    } else {
      try set(entry, order, detail: detail, at: now)
    }
    if order.convertsReferral { try markConverted(report.referralID, value: report.value, at: now) }
    try wakeRivals(of: report.referralID)
    guard let time = order.rematchAt else { return }
    try execute(
      "UPDATE orders SET rematches = rematches + 1, decide_at = ? WHERE entry = ?", [time.microseconds, entry.number])
  }

  private func isUnknown(_ entry: EntryID) throws -> Bool {
    try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT is_unknown FROM reports WHERE entry = ?"), arguments: [entry.number]) ?? false
  }

  private func set(_ entry: EntryID, _ order: OrderAfterSend, detail: String?, at now: Timestamp) throws {
    // A column that is set is taken out of its indexes and put in again, changed or not.
    let sql = """
      UPDATE orders SET outcome = ?, reason = ?, detail = ?, decided_at = ?, send_at = NULL, decide_at = NULL\
      \(order.claims ? "" : ", claims = 0") WHERE entry = ?
      """
    try execute(sql, [order.outcome.rawValue, order.reason, detail, now.microseconds, entry.number])
  }

  /// Marks our own conversion in the mirror at once, so that rivals need not wait for a sweep.
  private func markConverted(_ referral: ReferralID, value: Int64?, at now: Timestamp) throws {
    let sql = """
      UPDATE referrals SET status = 'converted', converted_at = ?1, seen_at = max(seen_at, ?1), conversion_value = ?2
      WHERE id = ?3 AND status <> 'converted'
      """
    try execute(sql, [now.microseconds, value, referral.text])
  }

  func postpone(_ entry: EntryID, until time: Timestamp, reason: String, detail: String) throws {
    // An order that was decided otherwise while a task waited for an answer stays what it became.
    try execute(
      "UPDATE orders SET reason = ?, detail = ?, send_at = ? WHERE entry = ? AND outcome = 'queued'",
      [reason, detail, time.microseconds, entry.number])
  }

  func unfreeze(_ entry: EntryID) throws {
    try execute("DELETE FROM reports WHERE entry = ? AND is_unknown = 0", [entry.number])
  }

  func unfreezeUndone(_ entry: EntryID) throws {
    try execute("DELETE FROM reports WHERE entry = ? AND is_sending = 0", [entry.number])
  }

  func recoverInterruptedSends(at now: Timestamp) throws -> Int {
    try execute(
      """
      INSERT INTO attempts (entry, number, started_at)
      SELECT entry, 1 + coalesce((SELECT max(number) FROM attempts a WHERE a.entry = r.entry), 0), last_sent_at
      FROM reports r INDEXED BY reports_sending WHERE is_sending = 1
      """)
    try execute(
      """
      UPDATE orders NOT INDEXED SET reason = ?, detail = ?, send_at = ?
      WHERE entry IN (SELECT entry FROM reports INDEXED BY reports_sending WHERE is_sending = 1) AND outcome = 'queued'
      """, [QueuedReason.interrupted.rawValue, QueuedReason.interruption, now.microseconds])
    // A process that stood still, and was killed when it went on, may have sent them only now.
    try execute(
      """
      UPDATE reports INDEXED BY reports_sending SET is_unknown = 1, is_sending = 0, last_sent_at = max(last_sent_at, ?)
      WHERE is_sending = 1
      """, [now.microseconds])
    return db.changesCount
  }

  func clampSends(to latest: Timestamp, now: Timestamp) throws {
    // Both values, so that the index answers.
    try execute(
      """
      UPDATE orders SET send_at = CASE WHEN reason IS NULL THEN ?2 ELSE ?1 END
      WHERE outcome = 'queued' AND is_backfill IN (0, 1) AND send_at > ?2 AND (reason IS NULL OR send_at > ?1)
      """, [latest.microseconds, now.microseconds])
  }

  func clampSightings(at now: Timestamp) throws {
    try execute(
      """
      UPDATE orders SET first_seen_at = min(first_seen_at, ?1), decided_at = min(decided_at, ?1)
      WHERE outcome = 'queued' AND (first_seen_at > ?1 OR decided_at > ?1)
      """, [now.microseconds])
  }

  func clampRematches(at now: Timestamp) throws {
    let reasons = DecisionReason.putOffByClock
    let isPutOff = "rematches > 0 OR reason IN (\(databaseQuestionMarks(count: reasons.count)))"
    try execute(
      "UPDATE orders SET decide_at = 0 WHERE decide_at > ? AND (outcome = 'held' OR outcome = 'waiting' AND (\(isPutOff)))",
      StatementArguments([(now + SendResult.rematchWait).microseconds]) + StatementArguments(reasons))
  }

  func sendingHalt() throws -> SendingHalt? { try fact("lane.halt", as: SendingHalt.self) }

  func setSendingHalt(_ halt: SendingHalt?) throws { try setFact("lane.halt", json: halt) }
}
