import Conversions
import GRDB

extension SQLiteTransaction: QueueRecords {
  func outcomeCounts() throws -> [OutcomeCount] {
    let sql = """
      SELECT outcome, sum(n) AS n, min(oldest) AS oldest FROM (
        SELECT outcome, count(*) AS n, min(decided_at) AS oldest FROM orders GROUP BY outcome
        UNION ALL SELECT outcome, count(*), min(decided_at) FROM settled GROUP BY outcome) GROUP BY outcome
      """
    var dismissed = try dismissedCounts()
    let held = try Row.fetchAll(db, sql: sql).compactMap { row in
      Outcome(rawValue: row["outcome"]).map { outcome in
        OutcomeCount(
          outcome: outcome, count: (row["n"] as Int) + (dismissed.removeValue(forKey: outcome) ?? 0),
          oldest: OrderCoding.time(row["oldest"]))
      }
    }
    return held + dismissed.map { OutcomeCount(outcome: $0, count: $1, oldest: nil) }
  }

  func outcomes(since time: Timestamp) throws -> [Outcome: Int] {
    var counts: [Outcome: Int] = [:]
    // One range of the index for each outcome, instead of a scan of them all.
    for outcome in Outcome.allCases {
      let count = try Int.fetchOne(
        db,
        sql: """
          SELECT (SELECT count(*) FROM orders WHERE outcome = ?1 AND decided_at >= ?2)
            + (SELECT count(*) FROM settled WHERE outcome = ?1 AND decided_at >= ?2)
          """,
        arguments: [outcome.rawValue, time.microseconds])
      if let count, count > 0 { counts[outcome] = count }
    }
    return counts
  }

  func entries(_ filter: EntryFilter) throws -> [LedgerOrder] {
    guard !filter.outcomes.isEmpty else { return [] }
    let marks = databaseQuestionMarks(count: filter.outcomes.count)
    let condition = """
       WHERE o.outcome IN (\(marks)) AND o.entry > ? AND (?\(filter.outcomes.count + 2) IS NULL OR o.reason = ?\(filter.outcomes.count + 2))
        AND (?\(filter.outcomes.count + 3) IS NULL OR o.decided_at < ?\(filter.outcomes.count + 3)) ORDER BY o.entry LIMIT ?
      """
    return try orders(condition) { values in
      for outcome in filter.outcomes { values.add(outcome.rawValue) }
      values.add(filter.after.number)
      values.add(filter.reason)
      values.add(filter.decidedBefore)
      values.add(Int64(filter.limit))
    }
  }

  func entry(_ id: EntryID) throws -> LedgerOrder? {
    try hot(.entry, OrderCoding.select + " WHERE o.entry = ?").rows({ $0.add(id.number) }, OrderCoding.order).first
  }

  func attempts(of entry: EntryID) throws -> [Attempt] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT * FROM attempts WHERE entry = ? ORDER BY number", arguments: [entry.number])
    return rows.map { row in
      Attempt(
        number: row["number"], startedAt: Timestamp(microseconds: row["started_at"]),
        duration: (row["duration"] as Int64?).map(Duration.microseconds), httpStatus: row["http_status"],
        verdict: row["verdict"], detail: row["detail"])
    }
  }

  func candidates(of entry: EntryID) throws -> [CandidateRecord] {
    let text = try String.fetchOne(db, sql: "SELECT candidates FROM orders WHERE entry = ?", arguments: [entry.number])
    return CandidateCoding.candidates(text).sorted { $0.referralID.text < $1.referralID.text }
  }
}
