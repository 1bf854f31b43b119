import Conversions
import Postgres

extension ShopInspection {
  /// The newest orders: their amounts as they would be reported, their addresses and their times.
  func newest(_ connection: PostgresConnection, _ table: InspectedTable, _ report: inout ShopReport) async throws {
    let isASCII = connection.isASCII
    try await ask("orders", connection, &report) { transaction in
      let newest = try NewestOrders(sql, isASCII: isASCII, transaction)
      return try amounts(newest, table) + emails(newest) + zone(newest, transaction)
    }
  }

  private func amounts(_ newest: NewestOrders, _ table: InspectedTable) -> [ShopFinding] {
    guard mapping.columns.total != nil else { return [] }
    let subject = "orders.columns.total"
    let amounts = ReportedAmounts(of: newest, rules)
    var findings = unit(table) + amounts.sentences.map { ShopFinding(.ok, subject, $0) }
    if let first = amounts.refused.first {
      findings.append(
        ShopFinding(
          .warn, subject,
          "the amounts of \(amounts.refused.count) of the newest \(amounts.count) orders need a person, such as of order "
            + "\(first.order.transactionID): \(first.detail)"))
    }
    return findings
  }

  /// Warns of a unit that the column's type contradicts.
  private func unit(_ table: InspectedTable) -> [ShopFinding] {
    let columns = zip(mapping.described, table.columns)
    guard let column = columns.first(where: { $0.0.role == .total })?.1 else { return [] }
    let type = TotalType(column)
    if type.isInteger, rules.unit == .major {
      return [
        ShopFinding(
          .warn, "orders.total_unit", "major, and the total is an integer: 100 is reported as 100.00 EUR",
          advice: "if the column counts cents, write total_unit: cents; a report can't be taken back")
      ]
    }
    guard let scale = type.scale, scale > 0, rules.unit == .cents else { return [] }
    return [
      ShopFinding(
        .warn, "orders.total_unit", "cents, and the total has \(scale) decimals: 50.00 is reported as 0.50 EUR",
        advice: "if 50.00 is fifty euros, write total_unit: major; a report can't be taken back")
    ]
  }
}
