import Conversions
import Postgres

extension ShopInspection {
  /// Warns of a condition that an order leaves by its age alone.
  func condition(_ connection: PostgresConnection, _ table: InspectedTable, _ report: inout ShopReport) async throws {
    if let condition = mapping.condition, let time = RowOnly.time(in: SQLTokens(condition).tokens) {
      report.findings.append(Self.leaving("orders.where", time, advice: "leave the condition out"))
    }
    if let time = Self.time(behindWhereOf: mapping.from) {
      report.findings.append(Self.leaving("orders.from", time, advice: "leave the condition out"))
    }
    guard let relation = table.relation, table.kind == "v" || table.kind == "m" else { return }
    try await ask("orders.from", connection, &report) { transaction in
      let rows = try transaction.query("SELECT pg_get_viewdef($1::oid)", [PostgresParameter(relation)])
      guard rows.count == 1, let definition = try rows.text(0, 0), let time = Self.time(behindWhereOf: definition)
      else { return [] }
      return [Self.leaving("orders.from", time, advice: "read a view without the condition")]
    }
  }

  private static func time(behindWhereOf sql: String) -> String? {
    RowOnly.time(in: SQLTokens(sql).tokens.drop { $0 != .name("where", isQuoted: false) })
  }

  private static func leaving(_ setting: String, _ time: String, advice: String) -> ShopFinding {
    ShopFinding(
      .warn, setting,
      "a condition depends on the time (\(time)): an order that leaves it by its age before its report is cancelled, and "
        + "after it is counted as cancelled_since",
      advice: "\(advice): orders.start, and what the daemon remembers, keep old orders out")
  }
}
