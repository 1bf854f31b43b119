import Conversions
import Postgres

extension ShopInspection {
  /// The change columns: each is of use only at the head of an index.
  func change(_ connection: PostgresConnection, _ table: InspectedTable, _ report: inout ShopReport) async throws {
    let columns = zip(mapping.described, table.columns).filter { expression, _ in
      if case .updatedAt = expression.role { true } else { false }
    }
    guard !columns.isEmpty else {
      report.findings.append(
        ShopFinding(.ok, "orders.columns.updated_at", "none mapped: changes are found at the sweep's pace"))
      return
    }
    for (expression, column) in columns {
      try await ask(expression.setting, connection, &report) { transaction in
        let rows = try transaction.query(
          """
          SELECT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = $1::oid AND indisvalid AND indpred IS NULL
          AND indkey[0] = $2::int2)::text
          """, [PostgresParameter(Int64(column.tableOID)), PostgresParameter(Int64(column.tableColumn))])
        if column.tableColumn > 0, try rows.text(0, 0) == "true" {
          return [ShopFinding(.ok, expression.setting, "\(expression.sql) is at the head of an index")]
        }
        return [
          ShopFinding(
            .warn, expression.setting, "\(expression.sql) is no column at the head of an index",
            advice: "index it, or leave it out: without an index it is of no use for latency")
        ]
      }
    }
  }

  /// Counts the orders and those that qualify, and tries to read the first page.
  func content(_ connection: PostgresConnection, _ report: inout ShopReport) async throws {
    try await ask("orders", connection, &report) { try amount($0) }
    if mapping.qualifies == nil {
      try await ask("orders.qualifying_statuses", connection, &report) { try statuses($0) }
    }
    let isASCII = connection.isASCII
    try await ask("orders", connection, &report) { transaction in
      let description = try TableDescriber(sql: sql, isASCII: isASCII).description(in: transaction)
      let statement = sql.keys(description.key, where: [], limit: mapping.pageSize, versions: false)
      let found = try transaction.query(statement)
      let keys = Set(try (0..<found.count).compactMap { try found.text($0, 0).map { OrderKey($0) } })
      let read = try RowReader(sql, description, transaction).orders(Array(keys))
      let faults = read.values.compactMap { row in if case .unreadable(let fault) = row { fault } else { nil } }
      guard let first = faults.first else {
        return [ShopFinding(.ok, "orders", "the first \(read.count) can be read")]
      }
      return [
        ShopFinding(
          .warn, "orders",
          "\(faults.count) of the first \(read.count) can't be read, and go to review; \(first.detail)")
      ]
    }
  }

  private func amount(_ transaction: PostgresTransaction) throws -> [ShopFinding] {
    let expected = try QueryPlan.explain(sql.everything, transaction)?.rows ?? 0
    let sampled = try transaction.query(
      "SELECT count(*)::text, (count(*) FILTER (WHERE q))::text FROM (\(sql.sample(qualification, Self.sampleRows))) AS s(q)"
    )
    let (count, qualifying) = (try sampled.text(0, 0) ?? "0", try sampled.text(0, 1) ?? "0")
    guard count != "0" else {
      return [
        ShopFinding(
          .warn, "orders", "not a single order is seen",
          advice: "right database and schema? orders.where too strict? Row-level security may hide every row")
      ]
    }
    let whole = Int(count) ?? 0 < Self.sampleRows
    let place = whole ? "\(count) orders" : "about \(Int(expected)) orders by the planner's estimate"
    let share = "\(qualifying) of \(whole ? "them" : "\(count) looked at") qualify"
    return [ShopFinding(qualifying == "0" ? .warn : .ok, "orders", "\(place); \(share)")]
  }

  /// The SQL that tells if a row qualifies.
  var qualification: String {
    if let condition = mapping.qualifies { return "(\(condition)\n) IS TRUE" }
    // Only for counting: what qualifies is decided by the exact text, in `RowDecoder`.
    let statuses = mapping.qualifyingStatuses.map { "'\($0.replacing("'", with: "''"))'" }
    guard let status = mapping.columns.status, !statuses.isEmpty else { return "false" }
    return "(\(status)\n)::text IN (\(statuses.joined(separator: ", ")))"
  }

  /// Lists the statuses there are, so that a misspelt one is noticed.
  private func statuses(_ transaction: PostgresTransaction) throws -> [ShopFinding] {
    guard let status = mapping.columns.status else { return [] }
    let rows = try transaction.query(
      """
      SELECT left(s, 40), count(*)::text FROM (\(sql.sample("(\(status)\n)::text", Self.sampleRows))) AS q(s)
      GROUP BY s ORDER BY count(*) DESC, s LIMIT 20
      """)
    let seen = try (0..<rows.count).map { (name: try rows.text($0, 0) ?? "NULL", count: try rows.text($0, 1) ?? "0") }
    guard !seen.isEmpty else { return [] }
    let list = seen.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    let later = laterStatuses(seen)
    let missing = mapping.qualifyingStatuses.filter { status in !seen.contains { $0.name == status } }
    guard missing.isEmpty || seen.count == 20 else {
      return [
        ShopFinding(
          .warn, "orders.qualifying_statuses",
          "no order seen with \(missing.joined(separator: ", ")); there are: \(list)",
          advice: "statuses are compared exactly, upper and lower case too")
      ] + later
    }
    return [ShopFinding(.ok, "orders.qualifying_statuses", "seen: \(list)")] + later
  }

  /// Statuses to which a paid order goes on, without separators and in small letters.
  private static let later: Set = [
    "shipped", "sent", "delivered", "fulfilled", "complete", "completed", "done", "processing", "invoiced", "closed",
    "pickedup", "dispatched",
  ]

  /// Warns of statuses that do not qualify, and to which a paid order seems to go on.
  private func laterStatuses(_ seen: [(name: String, count: String)]) -> [ShopFinding] {
    seen.filter { status in
      let word = status.name.lowercased().filter { $0.isLetter || $0.isNumber }
      return Self.later.contains(word) && !mapping.qualifies(status: status.name)
    }.map { status in
      ShopFinding(
        .warn, "orders.qualifying_statuses",
        "status \(status.name) (\(status.count) \(status.count == "1" ? "order" : "orders")) does not qualify: an order that goes "
          + "on to it from paid is cancelled while it is held, and counted as cancelled_since after its report",
        advice: "add \(status.name) to orders.qualifying_statuses if such orders are paid")
    }
  }
}
