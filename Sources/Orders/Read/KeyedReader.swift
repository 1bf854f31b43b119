import Conversions
import Postgres

/// Reads rows by their keys in a transaction of its own: in three round trips where nothing is wrong with them, as
/// thousands may be read a second, and once more with care where anything is.
struct KeyedReader: Sendable {
  let mapping: OrderMapping
  let limits: TransactionLimits
  let connection: PostgresConnection
  let stand: StandQuery
  /// The source that the table is known to be; nil where nothing is known.
  var known: SurveyedSource?

  /// Rows with the server that showed them.
  struct Found: Sendable {
    var rows: [OrderKey: OrderRow]
    /// Keys whose rows are there, and no orders.
    var excluded: Set<OrderKey>
    var stand: ServerStand
  }

  private var sql: ShopSQL { ShopSQL(mapping: mapping) }
  private var describing: TableDescriber { TableDescriber(sql: sql, isASCII: connection.isASCII) }

  /// The rows with these keys.
  ///
  /// - Throws: `PostgresError`, `OrderSourceFailure`, or `CancellationError`.
  func orders(_ keys: [OrderKey]) async throws -> Found {
    do {
      if let found = try await quickly(keys) { return found }
    } catch let error as PostgresError where !error.isConnectionLost && error.kind != .transient {
      // A value that can't be read, or a mapping that doesn't fit: it is found out which.
    }
    return try await carefully(keys)
  }

  /// Nil where a key has more rows than a mapping without repetitions gives it.
  private func quickly(_ keys: [OrderKey]) async throws -> Found? {
    try await connection.transaction(limits, opening: [stand.sql, sql.describe]) { transaction in
      guard transaction.opened.count == 2 else { return nil }
      let description = try describing.description(transaction.opened[1].columns, transaction)
      try known?.check(description)
      let reading = RowReader(sql, description, transaction)
      return try reading.together(keys).map { try found($0, of: keys, reading, transaction) }
    }
  }

  private func carefully(_ keys: [OrderKey]) async throws -> Found {
    try await connection.transaction(limits, opening: [stand.sql]) { transaction in
      let description = try describing.description(in: transaction)
      try known?.check(description)
      let reading = RowReader(sql, description, transaction)
      return try found(try reading.orders(keys), of: keys, reading, transaction)
    }
  }

  private func found(
    _ rows: [OrderKey: OrderRow], of keys: [OrderKey], _ reading: RowReader, _ transaction: PostgresTransaction
  ) throws -> Found {
    let excluded = try reading.present(keys.filter { rows[$0] == nil })
    return Found(rows: rows, excluded: excluded, stand: try ServerStand(transaction.opened[0]))
  }
}
