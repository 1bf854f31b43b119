import Conversions
import GRDB

extension SQLiteTransaction: ChangeRecords {
  func noteChangedSince(_ entry: EntryID, _ change: ChangeAfterReport?) throws {
    try execute("UPDATE orders SET changed_since = ? WHERE entry = ?", [change?.rawValue, entry.number])
  }

  func reported(after place: ReportedPlace, limit: Int) throws -> [ReportedPlace] {
    let sql = """
      SELECT decided_at, entry, key FROM orders
      WHERE outcome = 'reported' AND decided_at >= ?1 AND (decided_at > ?1 OR entry > ?2)
        AND substr(key, 1, 1) <> char(1)
      ORDER BY decided_at, entry LIMIT ?3
      """
    return try Row.fetchAll(
      db.cachedStatement(sql: sql), arguments: [place.reportedAt.microseconds, place.entry.number, limit]
    ).map { row in
      ReportedPlace(
        reportedAt: Timestamp(microseconds: try row.decode(forColumn: "decided_at")),
        entry: EntryID(try row.decode(forColumn: "entry")),
        key: OrderKey(try row.decode(String.self, forColumn: "key")))
    }
  }

  func changesSinceReports() throws -> [ChangeAfterReport: Int] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT changed_since, count(*) AS n FROM orders WHERE changed_since IS NOT NULL AND outcome = 'reported'
        GROUP BY changed_since
        """)
    return try rows.reduce(into: [:]) { counts, row in
      guard let kind = ChangeAfterReport(rawValue: try row.decode(forColumn: "changed_since")) else { return }
      counts[kind] = try row.decode(forColumn: "n")
    }
  }

  func conflictsSinceReport(limit: Int) throws -> Int {
    let last = "SELECT decided_at FROM orders WHERE outcome = 'reported' ORDER BY decided_at DESC LIMIT 1"
    let reportedAt = try Int64.fetchOne(db, sql: last) ?? .min
    let conflicts = """
      SELECT count(*) FROM (SELECT 1 FROM orders WHERE outcome = 'review' AND reason = ? AND decided_at > ? LIMIT ?)
      """
    let arguments: StatementArguments = [ReviewReason.transactionConflict.rawValue, reportedAt, limit]
    return try Int.fetchOne(db, sql: conflicts, arguments: arguments) ?? 0
  }
}
