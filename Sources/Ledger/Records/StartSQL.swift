public import Conversions
import GRDB

/// An order that is not to be reported again, or at all.
public struct SpokenForOrder: Sendable, Codable {
  /// Key by which its row was last read.
  public var key: String
  /// Order ID, as it was reported.
  public var transactionID: String
  /// The time when it was placed.
  public var placedAt: Timestamp
}

/// The orders to which `orders.start` may not reach back unasked.
public struct OrdersLeftBehind: Sendable, Codable {
  /// `orders.start` as it was last carried out; nil where none was.
  public var start: String?
  /// Orders spoken for, from before the accepted mapping, that have no row; the newest first.
  public var orders: [SpokenForOrder] = []
}

/// The time from which on orders are taken in.
extension SQLiteLedger {
  /// Takes in `orders.start` as it is configured. If another one was carried out before, the start of the orders is
  /// found anew, and every order is read again.
  ///
  /// - Parameters:
  ///   - start: The text of the setting.
  ///   - time: The time that it names, to which an accepted mapping is no bar any more; nil for one that names none.
  /// - Returns: The start before; nil where nothing changes.
  /// - Throws: `LedgerFailure`.
  public func adopt(start: String, from time: Timestamp?) async throws -> String? {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return nil }
      let known = try transaction.fact(SQLiteTransaction.startFact)
      guard known != start else { return nil }
      try transaction.setFact(SQLiteTransaction.startFact, start)
      guard let known else { return nil }
      var progress = try transaction.intakeProgress()
      let isFoundAnew = progress.noteStart(from: time)
      try transaction.setIntakeProgress(progress)
      guard isFoundAnew else { return nil }
      try transaction.removeRanges()
      return known
    }
  }

  /// Finds orders that are not to be reported again, or at all: reported, discarded, or kept back by an operator.
  ///
  /// - Parameters:
  ///   - since: Those that were placed from then on.
  ///   - limit: The most.
  /// - Returns: The newest of them, the newest first.
  /// - Throws: `LedgerFailure`.
  public func spokenFor(placedSince since: Timestamp, limit: Int) async throws -> [SpokenForOrder] {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return [] }
      let left = try transaction.leftBehind(limit: limit).filter { $0.placedAt >= since }
      let known = try transaction.spokenFor(
        SQLiteTransaction.hasRow, from: since, before: Timestamp(microseconds: .max), limit: limit)
      return Array((known + left).sorted { $0.placedAt > $1.placedAt }.prefix(limit))
    }
  }

  /// Finds the orders that an accepted mapping left behind.
  ///
  /// - Throws: `LedgerFailure`.
  public func leftBehind(limit: Int) async throws -> OrdersLeftBehind {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return OrdersLeftBehind() }
      return OrdersLeftBehind(
        start: try transaction.fact(SQLiteTransaction.startFact), orders: try transaction.leftBehind(limit: limit))
    }
  }
}

extension SQLiteTransaction {
  fileprivate func leftBehind(limit: Int) throws -> [SpokenForOrder] {
    guard let accepted = try intakeProgress().acceptedFrom else { return [] }
    return try spokenFor(
      "NOT (\(Self.hasRow))", from: Timestamp(microseconds: .min), before: accepted, limit: limit)
  }

  fileprivate func spokenFor(
    _ condition: String, from: Timestamp, before: Timestamp, limit: Int
  ) throws -> [SpokenForOrder] {
    let sql = """
      SELECT key, transaction_id, placed_from FROM orders
      WHERE placed_from >= ?1 AND placed_from < ?2 AND transaction_id IS NOT NULL AND \(condition)
        AND (outcome IN \(Outcome.spokenFor.sql) OR transaction_id IN (SELECT transaction_id FROM acts)
          OR key IN (SELECT key FROM acts)
          OR EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry))
      UNION ALL
      SELECT key, coalesce(transaction_id, sent_id, key), placed_from FROM settled
      WHERE placed_from >= ?1 AND placed_from < ?2 AND outcome IN \(Outcome.spokenFor.sql) AND \(condition)
      ORDER BY placed_from DESC LIMIT ?3
      """
    return try Row.fetchAll(db, sql: sql, arguments: [from.microseconds, before.microseconds, limit]).map { row in
      SpokenForOrder(
        key: OrderKey(try row.decode(String.self, forColumn: "key")).former.text,
        transactionID: try row.decode(atIndex: 1), placedAt: Timestamp(microseconds: try row.decode(atIndex: 2)))
    }
  }
}
