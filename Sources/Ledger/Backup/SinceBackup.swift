public import Conversions
import Foundation
import GRDB

/// The difference between a backup and the ledger that it is to replace, as that one tells it.
public struct SinceBackup: Hashable, Sendable {
  /// Orders, of which there may be many.
  public struct Orders: Hashable, Sendable {
    /// The number of them.
    public var count = 0
    /// The IDs of the first of them.
    public var first: [String] = []
  }

  /// An operator's act that the backup doesn't know.
  public struct Act: Hashable, Sendable {
    /// The order's ID.
    public var transactionID: String
    /// The act.
    public var act: OperatorAct
  }

  /// Orders that were reported since: the API has them, and says so when it is asked.
  public var sent = Orders()
  /// Orders that may have been sent since, without a clear answer.
  public var unclear = Orders()
  /// Operators' acts since, which go with the restored ledger.
  public var acts: [Act] = []
  /// Orders that the backup has a hold or a discard of, and the former ledger has not.
  public var released = Orders()
  /// People who were forgotten since, and are forgotten in the restored ledger, too.
  public var forgotten = 0
  /// Those of them whose data the backup holds, and must keep until an order of theirs has come to its end.
  public var keptBack = 0
  /// People who were forgotten by a key of another ledger: they can't be known again.
  public var unknowable = 0
}

/// Reads the difference to the former ledger, attached as `former`, from the connection of the one that is restored.
struct FormerLedger {
  /// The most orders whose IDs are told.
  private static let firstMax = 20

  let db: Database

  /// Runs `body` with the former ledger attached, which no other connection has open.
  static func attached<Value>(_ path: String, to db: Database, _ body: (FormerLedger) throws -> Value) throws -> Value {
    try db.execute(sql: "ATTACH ? AS former", arguments: [path])
    defer { try? db.execute(sql: "DETACH former") }
    return try body(FormerLedger(db: db))
  }

  /// Orders that the former ledger has as reported, and this one has not: by their keys, or by their IDs alone where a
  /// row has moved.
  private static let sent = """
    SELECT id, decided_at FROM (
      SELECT coalesce(r.transaction_id, o.transaction_id) AS id, o.key, o.decided_at
        FROM former.orders o LEFT JOIN former.reports r ON r.entry = o.entry WHERE o.outcome = 'reported'
      UNION ALL SELECT coalesce(sent_id, transaction_id), key, decided_at FROM former.settled WHERE outcome = 'reported'
    ) AS f
    WHERE NOT EXISTS (SELECT 1 FROM main.orders b
        WHERE b.key = f.key AND b.transaction_id = f.id AND b.outcome = 'reported')
      AND NOT EXISTS (SELECT 1 FROM main.settled b
        WHERE b.key = f.key AND coalesce(b.sent_id, b.transaction_id) = f.id AND b.outcome = 'reported')
      AND NOT EXISTS (SELECT 1 FROM main.orders b
        WHERE b.transaction_id = f.id AND b.transaction_id <> b.key AND b.outcome = 'reported')
      AND NOT EXISTS (SELECT 1 FROM main.settled b
        WHERE b.transaction_id = f.id AND b.transaction_id <> b.key AND b.outcome = 'reported')
    """

  private static let unclear = """
    SELECT r.transaction_id AS id, r.last_sent_at AS decided_at FROM former.reports r
      JOIN former.orders o ON o.entry = r.entry
    WHERE o.outcome <> 'reported' AND (r.is_unknown = 1 OR r.is_sending = 1)
      AND NOT EXISTS (SELECT 1 FROM main.orders b JOIN main.reports s ON s.entry = b.entry
        WHERE b.key = o.key AND s.transaction_id = r.transaction_id AND (s.is_unknown = 1 OR s.is_sending = 1))
    """

  private static let released = """
    SELECT transaction_id AS id, acted_at AS decided_at FROM main.acts
    WHERE transaction_id NOT IN (SELECT transaction_id FROM former.acts)
    """

  func difference() throws -> SinceBackup {
    var since = SinceBackup()
    since.sent = try orders(Self.sent)
    since.unclear = try orders(Self.unclear)
    since.released = try orders(Self.released)
    since.acts = try acts()
    return since
  }

  private func orders(_ select: String) throws -> SinceBackup.Orders {
    SinceBackup.Orders(
      count: try Int.fetchOne(db, sql: "SELECT count(*) FROM (\(select))") ?? 0,
      first: try String.fetchAll(
        db, sql: "SELECT id FROM (\(select)) WHERE id IS NOT NULL ORDER BY decided_at, id LIMIT \(Self.firstMax)"))
  }

  /// Acts that the backup doesn't know, or knows an earlier one of.
  private func acts() throws -> [SinceBackup.Act] {
    let sql = """
      SELECT f.transaction_id, f.act, f.reason, f.actor, f.acted_at, f.key, f.placed_from, f.buyer FROM former.acts f
        LEFT JOIN main.acts b ON b.transaction_id = f.transaction_id
      WHERE b.acted_at IS NULL OR f.acted_at > b.acted_at ORDER BY f.acted_at, f.transaction_id
      """
    return try Row.fetchAll(db, sql: sql).map { row in
      SinceBackup.Act(transactionID: try row.decode(forColumn: "transaction_id"), act: try OperatorAct(row))
    }
  }

  /// People who were forgotten since: their hashes, and the key of these.
  func forgotten() throws -> (key: String?, hashes: [[UInt8]: Int64]) {
    let key = try String.fetchOne(
      db, sql: "SELECT value FROM former.facts WHERE name = ?", arguments: [SQLiteTransaction.forgettingKey])
    let rows = try Row.fetchAll(
      db,
      sql: "SELECT hash, forgotten_at FROM former.forgotten WHERE hash NOT IN (SELECT hash FROM main.forgotten)")
    var hashes: [[UInt8]: Int64] = [:]
    for row in rows { hashes[Array(try row.decode(Data.self, atIndex: 0))] = try row.decode(atIndex: 1) }
    return (key, hashes)
  }
}
