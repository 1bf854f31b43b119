import Foundation
import Postgres

/// What the planner intends, as EXPLAIN (FORMAT JSON) tells it.
struct QueryPlan: Decodable {
  let node: String
  let rows: Double
  let children: [QueryPlan]?

  private enum CodingKeys: String, CodingKey {
    case node = "Node Type"
    case rows = "Plan Rows"
    case children = "Plans"
  }

  private struct Statement: Decodable {
    let plan: QueryPlan

    private enum CodingKeys: String, CodingKey { case plan = "Plan" }
  }

  /// The plan of a statement; nil for an answer of another form.
  static func explain(
    _ sql: String, _ transaction: PostgresTransaction, _ parameters: [PostgresParameter] = []
  ) throws -> QueryPlan? {
    let rows = try transaction.query("EXPLAIN (FORMAT JSON) " + sql, parameters)
    guard rows.count == 1, let text = try rows.text(0, 0) else { return nil }
    return try? JSONDecoder().decode([Statement].self, from: Data(text.utf8)).first?.plan
  }

  /// Whether a node of one of these types is anywhere in it.
  func contains(_ types: Set<String>) -> Bool {
    types.contains(node) || (children ?? []).contains { $0.contains(types) }
  }
}
