import Conversions
import Foundation
import GRDB

extension SQLiteTransaction: DeliveryRecords {
  func nextToSend(at now: Timestamp, limit: Int) throws -> [LedgerOrder] {
    let mayFreeze = try intakeProgress().caughtUpAt != nil && mirrorProgress().completeSweepBeganAt != nil
    let condition = """
       WHERE o.outcome = 'queued' AND o.send_at <= ? AND o.decide_at IS NULL AND (? OR r.entry IS NOT NULL)
      ORDER BY o.is_backfill, o.send_at, o.entry LIMIT ?
      """
    return try orders(condition) { values in
      values.add(now)
      values.add(mayFreeze)
      values.add(Int64(limit))
    }
  }

  func nextSendAt() throws -> Timestamp? {
    OrderCoding.time(
      try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(send_at) FROM orders WHERE outcome = 'queued'")))
  }

  func beginSend(_ entry: EntryID, _ report: ConversionReport, at now: Timestamp) throws -> Int {
    try execute(
      """
      INSERT INTO reports (entry, referral_id, transaction_id, value, body, frozen_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (entry) DO NOTHING
      """,
      [
        entry.number, report.referralID.text, report.transactionID.text, report.value, Data(report.body),
        now.microseconds,
      ])
    try execute(
      "UPDATE reports SET first_sent_at = coalesce(first_sent_at, ?1), last_sent_at = ?1 WHERE entry = ?2",
      [now.microseconds, entry.number])
    // What is being sent is decided by its answer alone.
    try execute(
      """
      UPDATE orders SET outcome = 'sending', reason = NULL, detail = NULL, decided_at = ?, send_at = NULL,
        decide_at = NULL WHERE entry = ?
      """, [now.microseconds, entry.number])
    let last = try Int.fetchOne(
      db.cachedStatement(sql: "SELECT max(number) FROM attempts WHERE entry = ?"), arguments: [entry.number])
    let number = (last ?? 0) + 1
    try execute(
      "INSERT INTO attempts (entry, number, started_at) VALUES (?, ?, ?)",
      [entry.number, number, now.microseconds])
    return number
  }

  func finishSend(_ entry: EntryID, attempt: Attempt, result: SendResult, at now: Timestamp) throws {
    try execute(
      """
      UPDATE attempts SET duration = ?, http_status = ?, verdict = ?, detail = ? WHERE entry = ? AND number = ?
      """,
      [
        attempt.duration?.wholeMicroseconds, attempt.httpStatus, attempt.verdict, attempt.detail, entry.number,
        attempt.number,
      ])
    try execute(
      "UPDATE reports SET is_unknown = is_unknown OR ?, attempts = attempts + ? WHERE entry = ?",
      [result.isUnknown, result.counts ? 1 : 0, entry.number])
    try settle(entry, result.next, detail: attempt.detail, at: now)
  }

  private func settle(_ entry: EntryID, _ next: SendResult.Next, detail: String?, at now: Timestamp) throws {
    switch next {
    case .reported:
      try set(entry, .reported, reason: nil, detail: detail, at: now)
      try markConverted(by: entry, at: now)
    case .superseded:
      try set(entry, .superseded, reason: DecisionReason.alreadyConverted, detail: detail, claims: false, at: now)
    case .review(let reason):
      // Refused for good, or for a referral that is gone: nothing was done, so the next in line moves up. Any other
      // doubt holds the referral until a person has decided.
      let keeps = reason != .rejected && reason != .referralMissing
      try set(entry, .review, reason: reason.rawValue, detail: detail, claims: keeps, at: now)
    case .again(let time):
      try postpone(entry, until: time, reason: "retry", detail: detail ?? "")
    case .rematch:
      try unfreeze(entry)
      try execute("UPDATE orders SET rematches = rematches + 1 WHERE entry = ?", [entry.number])
      try set(entry, .waiting, reason: DecisionReason.noReferralYet, detail: detail, claims: false, at: now)
    }
    try wakeRivalsOf(entry)
    guard next == .rematch else { return }
    // Not at once: another account's API answers 404 for every referral, and must not empty the queue.
    let later = now + Self.rematchWait
    try execute("UPDATE orders SET decide_at = ? WHERE entry = ?", [later.microseconds, entry.number])
  }

  private func set(
    _ entry: EntryID, _ outcome: Outcome, reason: String?, detail: String?, claims: Bool = true, at now: Timestamp
  ) throws {
    try execute(
      """
      UPDATE orders SET outcome = ?, reason = ?, detail = ?, claims = claims AND ?, decided_at = ?, send_at = NULL,
        decide_at = NULL WHERE entry = ?
      """, [outcome.rawValue, reason, detail, claims, now.microseconds, entry.number])
  }

  /// The mirror learns of our own conversion at once, so that rivals need not wait for a sweep.
  private func markConverted(by entry: EntryID, at now: Timestamp) throws {
    try execute(
      """
      UPDATE referrals SET status = 'converted', converted_at = ?1, seen_at = max(seen_at, ?1),
        conversion_value = (SELECT value FROM reports WHERE entry = ?2)
      WHERE id = (SELECT referral_id FROM reports WHERE entry = ?2) AND status <> 'converted'
      """, [now.microseconds, entry.number])
  }

  /// How long an order waits to be matched again whose referral the API said it doesn't know.
  private static let rematchWait = Duration.seconds(60)

  private func wakeRivalsOf(_ entry: EntryID) throws {
    let referral = try String.fetchOne(
      db.cachedStatement(sql: "SELECT referral_id FROM orders WHERE entry = ?"), arguments: [entry.number])
    if let referral { try wakeRivals(of: ReferralID(referral)) }
  }

  func postpone(_ entry: EntryID, until time: Timestamp, reason: String, detail: String) throws {
    // An order that was decided otherwise while somebody waited for an answer stays what it became.
    try execute(
      """
      UPDATE orders SET outcome = 'queued', reason = ?, detail = ?, send_at = ?
      WHERE entry = ? AND outcome IN ('queued', 'sending')
      """, [reason, detail, time.microseconds, entry.number])
  }

  func unfreeze(_ entry: EntryID) throws {
    try execute("DELETE FROM reports WHERE entry = ? AND is_unknown = 0", [entry.number])
  }

  func recoverInterruptedSends(at now: Timestamp) throws -> Int {
    try execute("UPDATE reports SET is_unknown = 1 WHERE entry IN (SELECT entry FROM orders WHERE outcome = 'sending')")
    try execute(
      """
      UPDATE orders SET outcome = 'queued', reason = 'interrupted', send_at = ?,
        detail = 'the daemon ended while this was being sent'
      WHERE outcome = 'sending'
      """, [now.microseconds])
    return db.changesCount
  }

  func clampSends(to latest: Timestamp) throws {
    // Both values, so that the index answers.
    try execute(
      "UPDATE orders SET send_at = ?1 WHERE outcome = 'queued' AND is_backfill IN (0, 1) AND send_at > ?1",
      [latest.microseconds])
  }

  func clampRematches(at now: Timestamp) throws {
    try execute(
      "UPDATE orders SET decide_at = 0 WHERE decide_at > ? AND outcome = 'waiting' AND rematches > 0",
      [(now + Self.rematchWait).microseconds])
  }

  func laneHalt() throws -> LaneHalt? { try fact("lane.halt", as: LaneHalt.self) }

  func setLaneHalt(_ halt: LaneHalt?) throws { try setFact("lane.halt", json: halt) }

  func rematches(of entry: EntryID) throws -> Int {
    try Int.fetchOne(
      db.cachedStatement(sql: "SELECT rematches FROM orders WHERE entry = ?"), arguments: [entry.number]) ?? 0
  }
}
