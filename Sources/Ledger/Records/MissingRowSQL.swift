import Conversions
import GRDB

extension SQLiteTransaction: MissingRowRecords {
  func noteSight(_ sight: String, at now: Timestamp) throws {
    let known = try fact("sight")
    guard known != sight else { return }
    try setFact("sight", sight)
    if known != nil { try setFact("sight.changed_at", String(now.microseconds)) }
  }

  func noteMissing(_ entry: EntryID, at now: Timestamp) throws -> VanishedRows.Miss {
    // Orders that were cancelled as gone long ago need not be known.
    try execute(
      "DELETE FROM missing_rows WHERE is_held = 0 AND since < ?",
      [(now - VanishedRows.window - VanishedRows.window).microseconds])
    try execute(
      "INSERT OR IGNORE INTO missing_rows (entry, since, is_held) VALUES (?, ?, 0)", [entry.number, now.microseconds])
    let row = try Row.fetchOne(
      db, sql: "SELECT since, is_held FROM missing_rows WHERE entry = ?", arguments: [entry.number])
    guard let row else { return VanishedRows.Miss(since: now, isHeld: false) }
    return VanishedRows.Miss(
      since: Timestamp(microseconds: try row.decode(forColumn: "since")), isHeld: try row.decode(forColumn: "is_held"))
  }

  func holdMissing(_ entry: EntryID) throws {
    try execute("UPDATE missing_rows SET is_held = 1 WHERE entry = ?", [entry.number])
  }

  func noteFound(_ entry: EntryID) throws -> Bool {
    let isHeld = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT is_held FROM missing_rows WHERE entry = ?"), arguments: [entry.number])
    guard let isHeld else { return false }
    try execute("DELETE FROM missing_rows WHERE entry = ?", [entry.number])
    return isHeld
  }

  func forgetMisses(_ entries: [EntryID]) throws {
    let numbers = entries.map { String($0.number) }.joined(separator: ",")
    try execute("DELETE FROM missing_rows WHERE is_held = 0 AND entry IN (\(numbers))")
  }

  func missingToSend(now: Timestamp) throws -> Int {
    // Those that were cancelled as gone before it showed that they are many are taken back.
    try Int.fetchOne(
      db,
      sql: """
        SELECT count(*) FROM missing_rows m JOIN orders o ON o.entry = m.entry
        WHERE m.since > ? AND (o.outcome IN ('held', 'queued') OR o.outcome = 'cancelled' AND o.reason = ?)
        """, arguments: [(now - VanishedRows.window).microseconds, DecisionReason.gone]) ?? 0
  }

  func vanishedRows(now: Timestamp) throws -> VanishedRows {
    let since = (now - VanishedRows.window).microseconds
    let missing = try Int.fetchOne(
      db, sql: "SELECT count(*) FROM missing_rows WHERE since > ?", arguments: [since])
    let gone = try cancelledAsGone(now: now).count
    let open = try Int.fetchOne(
      db, sql: "SELECT count(*) FROM orders WHERE outcome IN ('held', 'queued') AND referral_id IS NOT NULL")
    let changedAt = try fact("sight.changed_at").flatMap { Int64($0) }.map(Timestamp.init(microseconds:))
    return VanishedRows(expected: (open ?? 0) + gone, missing: missing ?? 0, sightChangedAt: changedAt)
  }

  func firstPlacedToSend(limit: Int) throws -> [(entry: EntryID, key: OrderKey)] {
    let sql = """
      SELECT entry, key FROM orders
      WHERE outcome IN ('held', 'queued') AND referral_id IS NOT NULL AND substr(key, 1, 1) <> char(1)
        AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry)
      ORDER BY placed_from LIMIT ?
      """
    return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [limit]).map { row in
      (EntryID(try row.decode(forColumn: "entry")), OrderKey(try row.decode(String.self, forColumn: "key")))
    }
  }

  func heldMissingCount() throws -> Int {
    try Int.fetchOne(
      db,
      sql: """
        SELECT count(*) FROM missing_rows m JOIN orders o ON o.entry = m.entry
        WHERE m.is_held = 1 AND o.outcome = 'held' AND o.reason = ?
        """, arguments: [DecisionReason.rowMissing]) ?? 0
  }

  func cancelledAsGone(now: Timestamp) throws -> [EntryID] {
    try Int64.fetchAll(
      db,
      sql: """
        SELECT m.entry FROM missing_rows m JOIN orders o ON o.entry = m.entry
        WHERE m.since > ? AND o.outcome = 'cancelled' AND o.reason = ?
        """, arguments: [(now - VanishedRows.window).microseconds, DecisionReason.gone]
    ).map { EntryID($0) }
  }
}
