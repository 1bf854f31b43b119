import Conversions
import Postgres

/// Reads rows by their keys in a transaction of its own: in three round trips where nothing is wrong with them, as
/// thousands may be read a second, and once more with care where anything is.
struct KeyedReading: Sendable {
  let mapping: OrderMapping
  let limits: TransactionLimits
  let connection: PostgresConnection
  /// What the table is known to be; nil where nothing is.
  var known: SurveyedSource?

  private var sql: ShopSQL { ShopSQL(mapping: mapping) }
  private var describing: Describing { Describing(sql: sql, isASCII: connection.isASCII) }

  /// The rows with these keys; a key that is missing is no order.
  ///
  /// - Throws: `PostgresError`, `OrderSourceFailure`, or `CancellationError`.
  func orders(_ keys: [OrderKey]) async throws -> [OrderKey: OrderRow] {
    do {
      if let orders = try await quickly(keys) { return orders }
    } catch let error as PostgresError where !error.isConnectionLost && error.kind != .transient {
      // A value that can't be read, or a mapping that doesn't fit: it is found out which.
    }
    return try await carefully(keys)
  }

  /// Nil where a key has more rows than a mapping without repetitions gives it.
  private func quickly(_ keys: [OrderKey]) async throws -> [OrderKey: OrderRow]? {
    try await connection.transaction(limits, opening: [sql.describe]) { transaction in
      guard let columns = transaction.opened.first?.columns else { return nil }
      let description = try describing.description(columns, transaction)
      try known?.check(description)
      return try RowReading(sql, description, transaction).together(keys)
    }
  }

  private func carefully(_ keys: [OrderKey]) async throws -> [OrderKey: OrderRow] {
    try await connection.transaction(limits) { transaction in
      let description = try describing.description(in: transaction)
      try known?.check(description)
      return try RowReading(sql, description, transaction).orders(keys)
    }
  }
}
