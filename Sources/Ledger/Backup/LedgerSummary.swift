public import Conversions
import Dispatch
import GRDB

/// The content of a ledger in three numbers, by which a backup is told from another.
public struct LedgerSummary: Hashable, Sendable {
  /// The number of orders, with those of which little is left.
  public var orders: Int
  /// The number of those that were reported.
  public var reports: Int
  /// The last time that anything in it tells of; nil where there is none.
  public var lastWrite: Timestamp?

  /// Looks through a file that no process has open and that has no log, and changes nothing.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - name: Its name in failures.
  /// - Throws: `LedgerFailure`: `damaged` where it is no ledger, or not whole; `newer`.
  init(ofFile path: String, named name: String) throws(LedgerFailure) {
    var configuration = GRDB.Configuration()
    configuration.qos = .default
    configuration.label = "backup"
    configuration.readonly = true
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? queue.close() }
      self = try queue.read { db in
        try SQLiteLedger.refuseOthers(db, path: name)
        let faults = try String.fetchAll(db, sql: "PRAGMA integrity_check(10)").filter { $0 != "ok" }
        if let first = faults.first { throw LedgerFailure(.damaged, "\(name) is damaged: \(first)") }
        return try LedgerSummary(db)
      }
    } catch {
      throw LedgerFailure(opening: path, as: name, error)
    }
  }

  /// Counts what a ledger holds.
  init(_ db: Database) throws {
    func count(_ condition: String) throws -> Int {
      let sql =
        "SELECT (SELECT count(*) FROM orders WHERE \(condition)) + (SELECT count(*) FROM settled WHERE \(condition))"
      return try Int.fetchOne(db, sql: sql) ?? 0
    }
    (orders, reports) = (try count("true"), try count("outcome = 'reported'"))
    let transaction = SQLiteTransaction(db, known: KnownKeys())
    let mirror = try transaction.mirrorProgress()
    let stored = try Int64.fetchOne(
      db,
      sql: """
        SELECT max(t) FROM (SELECT max(decided_at) AS t FROM orders UNION ALL SELECT max(last_sent_at) FROM reports
          UNION ALL SELECT max(acted_at) FROM acts UNION ALL SELECT max(forgotten_at) FROM forgotten)
        """)
    lastWrite = [
      try transaction.intakeProgress().aliveAt, mirror.completeSweepEndedAt, mirror.lastAnswerAt,
      OrderCoding.time(stored),
    ].compactMap(\.self).max()
  }
}
