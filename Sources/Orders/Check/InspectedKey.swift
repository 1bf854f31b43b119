import Conversions
import Postgres

extension ShopInspection {
  /// The key and the order ID: unique, never NULL, and with an index to walk by.
  func key(_ connection: PostgresConnection, _ table: InspectedTable, _ report: inout ShopReport) async throws {
    let setting = mapping.keyExpression.setting
    try await ask(setting, connection, &report) { transaction in
      if try hasUniqueIndex(table, transaction) {
        return [ShopFinding(.ok, setting, "unique, by an index")]
      }
      return [try repetition(mapping.keyExpression.enclosed, setting, transaction)]
    }
    try await ask(setting, connection, &report) { transaction in
      guard try transaction.query(sql.hasNullKeys).text(0, 0) == "true" else { return [] }
      return [
        ShopFinding(
          .fail, setting, "NULL in some rows, which can't be read",
          advice: "leave them out by orders.where, or choose another key")
      ]
    }
    if report.method == .hashes {
      try await ask(setting, connection, &report) { transaction in [try walkIndex(table, setting, transaction)] }
    }
    guard mapping.key != nil, mapping.key != mapping.columns.id else { return }
    try await ask("orders.columns.id", connection, &report) { transaction in
      let expression = "(\(mapping.columns.id)\n)"
      let nulls = try transaction.query(
        "SELECT EXISTS (SELECT 1 FROM \(mapping.from)\n\(sql.whereClause(["\(expression) IS NULL", qualification])))::text"
      )
      let found = try repetition(expression, "orders.columns.id", transaction)
      guard try nulls.text(0, 0) == "true" else { return [found] }
      return [found, ShopFinding(.fail, "orders.columns.id", "NULL in some rows that qualify, which go to review")]
    }
  }

  /// Finds out if two rows share a value. Looks at all of them, so it may run out of its time.
  private func repetition(_ expression: String, _ setting: String, _ transaction: PostgresTransaction) throws
    -> ShopFinding
  {
    let rows = try transaction.query(
      """
      SELECT 1 FROM \(mapping.from)
      \(sql.whereClause(["\(expression) IS NOT NULL"])) GROUP BY \(expression) HAVING count(*) > 1 LIMIT 1
      """)
    guard rows.count > 0 else { return ShopFinding(.ok, setting, "unique, as every row was looked at") }
    return ShopFinding(
      .fail, setting, "several rows share one value, and go to review",
      advice: "does a join in orders.from double rows? Is the number unique only within a shop or a year?")
  }

  /// True if the key is a column of the one table, and an index of that column alone makes it unique.
  private func hasUniqueIndex(_ table: InspectedTable, _ transaction: PostgresTransaction) throws -> Bool {
    guard table.isPlain, let column = table.columns.first, table.relation == String(column.tableOID) else {
      return false
    }
    return try column.hasUniqueIndex(transaction)
  }

  /// Finds out if pages can be read by an index. A small table is read whole in any case, so the planner is asked what
  /// it would do if that were expensive.
  private func walkIndex(_ table: InspectedTable, _ setting: String, _ transaction: PostgresTransaction) throws
    -> ShopFinding
  {
    try transaction.query(
      """
      SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
      set_config('enable_incremental_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)
      """)
    let statement = sql.keys(table.description.key, KeyBounds(), limit: mapping.pageSize, filtered: true)
    let plan = try QueryPlan.explain(statement, transaction)
    // The outer sort is ours: it orders the page that was read.
    let inner = plan?.pageScan
    guard let inner, inner.contains(["Sort", "Incremental Sort", "Seq Scan"]) else {
      return ShopFinding(.ok, setting, "an index to walk by")
    }
    guard table.rowsExpected > Self.rowsSmall else {
      return ShopFinding(.ok, setting, "no index to walk by, which the few rows don't need")
    }
    return ShopFinding(
      .warn, setting, "no index to walk by: each page reads the whole table",
      advice: "CREATE INDEX CONCURRENTLY on \(mapping.keyExpression.sql), or choose an indexed orders.key")
  }
}

extension QueryPlan {
  /// The part of the plan that finds a page's keys, below the LIMIT.
  fileprivate var pageScan: QueryPlan? {
    if node == "Limit" { return children?.first }
    return (children ?? []).lazy.compactMap(\.pageScan).first
  }
}
