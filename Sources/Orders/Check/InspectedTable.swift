import Conversions
import Postgres

/// The properties of the table, known after it was described.
struct InspectedTable: Sendable {
  var description: TableDescription
  /// The described columns in the order of `OrderMapping.described`.
  var columns: [PostgresRows.Column]
  /// The OID of the one relation that `orders.from` names; nil for anything else.
  var relation: String?
  /// Its kind as in pg_class: `r` a table, `p` partitioned, `v` a view, `m` a materialised view, `f` a foreign table.
  var kind: String?
  /// The number of rows that the planner expects.
  var rowsExpected: Double

  /// True if its rows are stored in it or its partitions.
  var isPlain: Bool { kind == "r" || kind == "p" }
}

extension ShopInspection {
  /// Checks that the mapping fits, and finds out what each column is, and what kind of table it is.
  func table(_ connection: PostgresConnection, _ report: inout ShopReport) async throws -> InspectedTable? {
    let isASCII = connection.isASCII
    do {
      let (table, findings) = try await connection.transaction(limits) { transaction in
        try describe(transaction, isASCII: isASCII)
      }
      report.findings += findings
      return table
    } catch let failure as OrderSourceFailure {
      report.findings.append(ShopFinding(.fail, "orders", failure.description))
    } catch let error as PostgresError {
      report.findings.append(ShopFinding(.fail, "orders", FailureWording.failure(error).description))
    }
    return nil
  }

  private func describe(_ transaction: PostgresTransaction, isASCII: Bool) throws -> (InspectedTable, [ShopFinding]) {
    let description = try TableDescriber(sql: sql, isASCII: isASCII).description(in: transaction)
    let columns = try transaction.query(sql.describe).columns
    let expected = try QueryPlan.explain(sql.everything, transaction)?.rows ?? 0
    var table = InspectedTable(
      description: description, columns: columns, relation: nil, kind: nil, rowsExpected: expected)
    // Fails for a join, which is no relation's name.
    let relation = try transaction.attempt {
      try transaction.query(
        "SELECT oid::text, relkind::text FROM pg_class WHERE oid = to_regclass($1::text)",
        [PostgresParameter(mapping.from)])
    }
    if case .success(let rows) = relation, rows.count == 1 {
      table.relation = try rows.text(0, 0)
      table.kind = try rows.text(0, 1)
    }
    return (table, try types(columns, transaction) + source(table, transaction) + timeZone(description))
  }

  /// Each setting with its column's type.
  private func types(_ columns: [PostgresRows.Column], _ transaction: PostgresTransaction) throws -> [ShopFinding] {
    try zip(mapping.described, columns).map { expression, column in
      let rows = try transaction.query(
        "SELECT format_type($1::oid, $2::int4)",
        [PostgresParameter(Int64(column.typeOID)), PostgresParameter(Int64(column.typeModifier))])
      return ShopFinding(.ok, expression.setting, "\(expression.sql) is \(try rows.text(0, 0) ?? "of an unknown type")")
    }
  }

  private func timeZone(_ description: TableDescription) -> [ShopFinding] {
    guard description.placedAt.needsTimeZone else { return [] }
    return [
      ShopFinding(
        .ok, "orders.time_zone",
        "placed_at has no time zone and is read in \(mapping.timeZone); the session's has no part")
    ]
  }

  /// Finds out how changes will be found, and what would make that cheaper.
  func following(_ connection: PostgresConnection, _ report: inout ShopReport) async throws {
    let surveying = SourceSurveyor(
      sql: sql, isASCII: connection.isASCII, serverVersion: connection.serverVersion)
    var method: ShopSurvey.Method?
    do {
      let plan = try await connection.transaction(limits) { try surveying.plan($0) }
      method = plan.method
      let how =
        plan.method == .versions
        ? "changes are found by row versions (xmin): \(plan.because)"
        : "changes are found by comparing hashes, which reads every order: \(plan.because)"
      report.findings.append(
        ShopFinding(plan.advice == nil ? .ok : .warn, "orders.from", how, advice: plan.advice))
    } catch let failure as OrderSourceFailure {
      report.findings.append(ShopFinding(.fail, "orders.from", failure.description))
    } catch let error as PostgresError {
      report.findings.append(ShopFinding(.fail, "orders.from", FailureWording.failure(error).description))
    }
    report.method = method
  }

  /// Warns where row-level security may hide rows from the role.
  private func source(_ table: InspectedTable, _ transaction: PostgresTransaction) throws -> [ShopFinding] {
    guard let relation = table.relation else { return [] }
    let rows = try transaction.query(
      "SELECT relrowsecurity::text FROM pg_class WHERE oid = $1::oid", [PostgresParameter(relation)])
    guard rows.count == 1, try rows.text(0, 0) == "true" else { return [] }
    return [
      ShopFinding(
        .warn, "orders.from", "row-level security is on: the role may not see every order",
        advice: "compare the number of orders below with the shop's, or give the role a policy that shows all")
    ]
  }
}
