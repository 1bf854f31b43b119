import Conversions
import GRDB

extension SQLiteTransaction: QueueRecords {
  /// The orders that are being sent, by the few entries of an index that the planner alone wouldn't choose.
  private static let fromSending = """
    FROM reports r INDEXED BY reports_sending CROSS JOIN orders o ON o.entry = r.entry
    WHERE r.is_sending = 1 AND o.outcome = 'queued'
    """

  func count(of outcome: Outcome, reason: String) throws -> Int {
    let sql = "SELECT count(*) FROM orders WHERE outcome = ? AND reason = ?"
    return try Int.fetchOne(db, sql: sql, arguments: [outcome.rawValue, reason]) ?? 0
  }

  func outcomeCounts() throws -> [OutcomeCount] {
    let sql = """
      SELECT outcome, sum(n) AS n, min(oldest) AS oldest FROM (
        SELECT outcome, count(*) AS n, min(decided_at) AS oldest FROM orders GROUP BY outcome
        UNION ALL SELECT 'queued', -count(*), NULL \(Self.fromSending)
        UNION ALL SELECT 'sending', count(*), min(last_sent_at) \(Self.fromSending)
        UNION ALL SELECT outcome, count(*), min(decided_at) FROM settled GROUP BY outcome)
      GROUP BY outcome HAVING sum(n) > 0
      """
    var dismissed = try dismissedCounts()
    let held = try Row.fetchAll(db, sql: sql).compactMap { row in
      try Outcome(rawValue: row.decode(forColumn: "outcome")).map { outcome in
        let count: Int = try row.decode(forColumn: "n")
        return OutcomeCount(
          outcome: outcome, count: count + (dismissed.removeValue(forKey: outcome) ?? 0),
          oldest: OrderCoding.time(try row.decode(forColumn: "oldest")))
      }
    }
    return held + dismissed.map { OutcomeCount(outcome: $0, count: $1, oldest: nil) }
  }

  func settledCounts() throws -> [Outcome: Int] {
    try Row.fetchAll(db, sql: "SELECT outcome, count(*) AS n FROM settled GROUP BY outcome").reduce(into: [:]) {
      guard let outcome = Outcome(rawValue: try $1.decode(forColumn: "outcome")) else { return }
      $0[outcome] = try $1.decode(forColumn: "n")
    }
  }

  func outcomes(since time: Timestamp) throws -> [Outcome: Int] {
    var counts: [Outcome: Int] = [:]
    // One range of the index for each outcome, instead of a scan of them all.
    for outcome in Outcome.allCases where outcome != .sending {
      let count = try Int.fetchOne(
        db,
        sql: """
          SELECT (SELECT count(*) FROM orders WHERE outcome = ?1 AND decided_at >= ?2)
            + (SELECT count(*) FROM settled WHERE outcome = ?1 AND decided_at >= ?2)
          """,
        arguments: [outcome.rawValue, time.microseconds])
      counts[outcome] = count
    }
    let sending = try Row.fetchOne(
      db,
      sql: """
        SELECT count(*) FILTER (WHERE r.last_sent_at >= ?1) AS sent, count(*) FILTER (WHERE o.decided_at >= ?1) AS decided
        \(Self.fromSending)
        """, arguments: [time.microseconds])
    counts[.sending] = try sending?.decode(forColumn: "sent")
    counts[.queued, default: 0] -= try sending?.decode(forColumn: "decided") ?? 0
    return counts.filter { $0.value > 0 }
  }

  func entries(_ filter: EntryFilter) throws -> [LedgerOrder] {
    guard !filter.outcomes.isEmpty else { return [] }
    // An order that is being sent is stored as queued, with a mark in its report.
    let stored = Set(filter.outcomes.map { $0 == .sending ? .queued : $0 })
    let marks = databaseQuestionMarks(count: stored.count)
    let condition = """
       WHERE o.outcome IN (\(marks)) AND o.entry > ?
        AND (o.outcome <> 'queued' OR CASE WHEN r.is_sending = 1 THEN ? ELSE ? END)
        AND (?\(stored.count + 4) IS NULL OR (o.reason = ?\(stored.count + 4) AND r.is_sending IS NOT 1)
          OR (o.changed_since = ?\(stored.count + 4) AND o.outcome = 'reported'))
        AND (?\(stored.count + 5) IS NULL
          OR CASE WHEN r.is_sending = 1 THEN r.last_sent_at ELSE o.decided_at END < ?\(stored.count + 5))
      ORDER BY o.entry LIMIT ?
      """
    let others: StatementArguments = [
      filter.after.number, filter.outcomes.contains(.sending), filter.outcomes.contains(.queued), filter.reason,
      filter.decidedBefore?.microseconds, filter.limit,
    ]
    return try orders(condition, StatementArguments(stored.map(\.rawValue)) + others)
  }

  func entry(_ id: EntryID) throws -> LedgerOrder? {
    try first(OrderCoding.select + " WHERE o.entry = ?", [id.number], OrderCoding.order)
  }

  func entries(ofOrder id: String) throws -> [LedgerOrder] {
    // Most shops report an order by its key, and such an ID is found by the key's own index.
    let ownKey = try orders(" WHERE o.key = ?1 AND coalesce(o.transaction_id, o.key) = ?1", [id])
    return try ownKey
      + orders(" WHERE o.transaction_id = ? AND o.transaction_id <> o.key ORDER BY o.entry", [id])
  }

  func waitingReports() throws -> (count: Int, cents: Int64, nextAt: Timestamp?) {
    let row = try Row.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT count(*), coalesce(sum(value), 0), min(CASE WHEN outcome = 'queued' THEN send_at END) FROM orders
          WHERE outcome IN ('queued', 'held') AND referral_id IS NOT NULL
          """))
    guard let row else { return (0, 0, nil) }
    return (
      try row.decode(atIndex: 0), try row.decode(atIndex: 1), OrderCoding.time(try row.decode(atIndex: 2))
    )
  }

  func hasOrder(withIDFrom mark: Unicode.Scalar) throws -> Bool {
    let range = [String(Character(mark)), String(Character(Unicode.Scalar(UInt8(mark.value) + 1)))]
    for (column, condition) in [("key", "true"), ("transaction_id", "transaction_id <> key")] {
      let sql = "SELECT 1 FROM orders WHERE \(column) >= ?1 AND \(column) < ?2 AND \(condition) LIMIT 1"
      if try Int.fetchOne(db.cachedStatement(sql: sql), arguments: StatementArguments(range)) != nil { return true }
    }
    return false
  }

  func attempts(of entry: EntryID) throws -> [Attempt] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT * FROM attempts WHERE entry = ? ORDER BY number", arguments: [entry.number])
    var attempts = try rows.map(Self.attempt)
    let begun = try Int64.fetchOne(
      db, sql: "SELECT last_sent_at FROM reports WHERE entry = ? AND is_sending = 1", arguments: [entry.number])
    if let begun {
      attempts.append(
        Attempt(
          number: (attempts.last?.number ?? 0) + 1, startedAt: Timestamp(microseconds: begun), duration: nil,
          httpStatus: nil, verdict: nil, detail: nil))
    }
    return attempts
  }

  private static func attempt(_ row: Row) throws -> Attempt {
    Attempt(
      number: try OrderCoding.count(row.decode(forColumn: "number")),
      startedAt: Timestamp(microseconds: try row.decode(forColumn: "started_at")),
      duration: try row.decode(Int64?.self, forColumn: "duration").map(Duration.microseconds),
      httpStatus: try row.decode(forColumn: "http_status"), verdict: try row.decode(forColumn: "verdict"),
      detail: try row.decode(forColumn: "detail"))
  }

  func candidates(of entry: EntryID) throws -> [CandidateRecord] {
    let text = try String.fetchOne(db, sql: "SELECT candidates FROM orders WHERE entry = ?", arguments: [entry.number])
    return CandidateCoding.candidates(text).sorted { $0.referralID.text < $1.referralID.text }
  }
}
