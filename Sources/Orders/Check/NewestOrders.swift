import Conversions
import Postgres

/// The newest orders of the shop, for an operator to see what would be reported before anything is.
public struct NewestOrders: Sendable {
  /// The most that are looked at.
  static let countMax = 500
  /// The number of rows from which the whole table is not sorted, to spare the shop.
  private static let rowsToSort = 200_000.0

  /// An order, and the text of its e-mail column as it stands in the row.
  struct Seen: Sendable {
    var row: OrderRow
    var emailText: String?

    /// The order, where every value could be read.
    var order: Order? { if case .readable(let order) = row { order } else { nil } }
  }

  /// The orders, the latest placed first.
  let seen: [Seen]
  /// The database's clock when they were read.
  let readAt: Timestamp
  /// True if `placed_at` is read in `orders.time_zone`.
  let needsTimeZone: Bool

  /// Reads them within a transaction.
  ///
  /// - Throws: `OrderSourceFailure`, `PostgresError`.
  init(_ sql: ShopSQL, isASCII: Bool, _ transaction: PostgresTransaction) throws {
    let description = try TableDescriber(sql: sql, isASCII: isASCII).description(in: transaction)
    let found = try transaction.query(try Self.statement(sql, description, transaction))
    var emails: [OrderKey: String] = [:]
    var keys: [OrderKey] = []
    for row in 0..<found.count {
      guard let key = try found.text(row, 0).map({ OrderKey($0) }) else { continue }
      keys.append(key)
      emails[key] = try found.text(row, 1)
    }
    let rows = try RowReader(sql, description, transaction).orders(keys, pageSize: sql.mapping.pageSize)
    seen = Set(keys).compactMap { key in rows[key].map { Seen(row: $0, emailText: emails[key]) } }
      .sorted { Self.placed($0) > Self.placed($1) }
    needsTimeZone = description.placedAt.needsTimeZone
    let now = try transaction.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text")
    readAt = Timestamp(microseconds: try now.text(0, 0).flatMap { Int64($0) } ?? 0)
  }

  /// The keys and e-mail texts of the latest placed; of a large table without an index on `placed_at` those of the
  /// highest keys, or some that are at hand.
  private static func statement(
    _ sql: ShopSQL, _ description: TableDescription, _ transaction: PostgresTransaction
  ) throws -> String {
    let (mapping, key) = (sql.mapping, sql.mapping.keyExpression.enclosed)
    let email = mapping.columns.email.map { "(\($0)\n)::text" } ?? "NULL"
    let placed = "(\(mapping.columns.placedAt)\n)"
    let conditions = sql.whereClause(["\(key) IS NOT NULL", "isfinite(\(placed))"])
    func statement(_ order: String) -> String {
      """
      SELECT \(description.key.output(key)), \(email) FROM \(mapping.from)
      \(conditions) \(order)LIMIT \(countMax)
      """
    }
    let expected = try QueryPlan.explain(sql.everything, transaction)?.rows ?? 0
    for order in ["ORDER BY \(placed) DESC ", "ORDER BY \(key) DESC "] {
      let plan = try QueryPlan.explain(statement(order), transaction)
      if expected < rowsToSort || plan?.contains(["Sort"]) == false { return statement(order) }
    }
    return statement("")
  }

  private static func placed(_ seen: Seen) -> Timestamp { seen.order?.placedAt.latest ?? Timestamp(microseconds: .min) }
}
