import Foundation
import Postgres

/// The planner's plan for a statement, as EXPLAIN (FORMAT JSON) tells it.
struct QueryPlan: Decodable {
  /// A table that a plan reads.
  struct Relation: Hashable, CustomStringConvertible {
    /// Only EXPLAIN (VERBOSE) tells it.
    var schema: String?
    var name: String?

    var description: String { [schema, name].compactMap { $0 }.joined(separator: ".") }
  }

  let node: String
  let rows: Double
  let children: [QueryPlan]?
  private let schema: String?
  private let relation: String?
  private let relationship: String?

  private enum CodingKeys: String, CodingKey {
    case node = "Node Type"
    case rows = "Plan Rows"
    case children = "Plans"
    case schema = "Schema"
    case relation = "Relation Name"
    case relationship = "Parent Relationship"
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
    return try read(text)
  }

  /// Reads what EXPLAIN (FORMAT JSON) printed; nil for anything of another form.
  static func read(_ text: String) throws -> QueryPlan? {
    try? JSONDecoder().decode([Statement].self, from: Data(text.utf8)).first?.plan
  }

  /// True if a node of one of these types is anywhere in it.
  func contains(_ types: Set<String>) -> Bool {
    types.contains(node) || (children ?? []).contains { $0.contains(types) }
  }

  /// Every table that is read.
  var relations: Set<Relation> {
    var all = Set((children ?? []).flatMap { $0.relations })
    if let relation { all.insert(Relation(schema: schema, name: relation)) }
    return all
  }

  /// The first node that does more than hand on rows of tables: a join, a sub-select, an aggregate or a window over
  /// other rows, a function's result.
  var stranger: String? {
    if let relationship, relationship == "SubPlan" || relationship == "InitPlan" { return "a sub-select" }
    if !Self.plain.contains(node) { return "more than one row at a time (\(node))" }
    return (children ?? []).lazy.compactMap(\.stranger).first
  }

  private static let plain: Set = [
    "Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan", "BitmapAnd", "BitmapOr",
    "Tid Scan", "Tid Range Scan", "Append", "Gather", "Result",
  ]
}
