import Conversions
import Foundation
import Postgres

/// Judges whether the row versions of one table tell of every change to the orders that the mapping reads.
struct TableTrust: Sendable {
  let sql: ShopSQL
  let serverVersion: Int

  /// The judgement, and its reason.
  struct Verdict: Sendable {
    /// The table whose row versions tell of every change; nil where they don't.
    var table: FollowPlan.Table?
    var because: String
    var advice: String?

    static func hashes(_ because: String, advice: String? = nil) -> Self {
      Self(table: nil, because: because, advice: advice)
    }
  }

  private var mapping: OrderMapping { sql.mapping }

  func verdict(key: PostgresRows.Column, in transaction: PostgresTransaction) throws -> Verdict {
    guard serverVersion >= 140_000 else {
      return .hashes("PostgreSQL before 14 has no scan of a range of blocks")
    }
    guard let relation = try relation(transaction) else { return .hashes("orders.from is a join or a sub-select") }
    if let other = Self.others[relation.kind] { return .hashes("orders.from is \(other)") }
    if relation.hasChildren, relation.kind == "r" { return .hashes("orders.from has child tables") }
    if let foreign = try foreignReader(of: relation.oid, transaction) {
      return .hashes("the mapping also reads \(foreign)")
    }
    if try isPoliced(relation.oid, transaction) {
      return .hashes("row-level security decides what is seen of \(relation.name)")
    }
    if let changing = try changing(relation.oid, transaction) { return .hashes(changing) }
    if case .failure(let error) = try transaction.attempt({
      try transaction.query("SELECT xmin, ctid FROM \(mapping.from) LIMIT 0")
    }) {
      guard error.kind == .permission else { return .hashes("row versions can't be told apart: \(error.message)") }
      return .hashes(
        "row versions may not be read",
        advice: "GRANT SELECT (xmin, ctid) ON \(relation.name) TO the role in orders.connection: far less is read then")
    }
    let isUnique = try key.tableOID == relation.oid && key.hasUniqueIndex(transaction)
    guard isUnique || relation.kind == "p" else {
      return .hashes(
        "no unique index on orders.key", advice: "a unique index on it: far less is read then, and keys stay unique")
    }
    let parts = try transaction.query("SELECT count(*)::text FROM (\(TableParts.list(of: relation.oid))) AS part")
    let table = FollowPlan.Table(
      oid: relation.oid, parts: try parts.text(0, 0).flatMap { Int($0) } ?? 1, hasUniqueKey: isUnique)
    return Verdict(table: table, because: "one ordinary table holds all that is read")
  }

  /// Kinds of relations (pg_class.relkind) whose rows are not versions of their own. Of a materialised view a refresh
  /// makes every row anew.
  private static let others = [
    "v": "a view", "m": "a materialised view", "f": "a foreign table", "S": "a sequence", "c": "a type",
  ]

  private struct Relation {
    var oid: UInt32
    var kind: String
    var name: String
    var hasChildren: Bool
  }

  /// The one relation that `orders.from` names, with or without an alias; nil for anything else.
  private func relation(_ transaction: PostgresTransaction) throws -> Relation? {
    for name in [mapping.from, withoutAlias(mapping.from)].compactMap({ $0 }) {
      // Fails for a join, which is no relation's name.
      let found = try transaction.attempt {
        try transaction.query(
          """
          SELECT oid::text, relkind::text, oid::regclass::text, relhassubclass::text FROM pg_class
          WHERE oid = to_regclass($1::text)
          """, [PostgresParameter(name)])
      }
      guard case .success(let rows) = found, rows.count == 1, let oid = try rows.text(0, 0).flatMap({ UInt32($0) })
      else { continue }
      return Relation(
        oid: oid, kind: try rows.text(0, 1) ?? "", name: try rows.text(0, 2) ?? name,
        hasChildren: try rows.text(0, 3) == "true")
    }
    return nil
  }

  private func withoutAlias(_ from: String) -> String? {
    let trimmed = from.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let match = trimmed.firstMatch(of: /^(\S+)\s+(?:[Aa][Ss]\s+)?("[^"]+"|[A-Za-z_][A-Za-z0-9_$]*)$/) else {
      return nil
    }
    return String(match.output.1)
  }

  /// Another table, or a sub-select, in the plan for everything that is mapped; nil for none.
  private func foreignReader(of oid: UInt32, _ transaction: PostgresTransaction) throws -> String? {
    let rows = try transaction.query("EXPLAIN (VERBOSE, FORMAT JSON) " + sql.planned)
    guard let text = try rows.text(0, 0), let plan = try QueryPlan.read(text) else { return "what no plan tells" }
    let own = try transaction.query(
      """
      SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid IN (SELECT oid FROM (\(TableParts.list(of: oid))) AS part)
      """)
    let names = Set(
      try (0..<own.count).map { QueryPlan.Relation(schema: try own.text($0, 0), name: try own.text($0, 1)) })
    if let other = plan.relations.first(where: { !names.contains($0) }) { return other.description }
    return plan.stranger
  }

  /// Row-level security that holds for this role: a policy may look at anything.
  private func isPoliced(_ oid: UInt32, _ transaction: PostgresTransaction) throws -> Bool {
    try transaction.query("SELECT row_security_active($1::oid)::int::text", [PostgresParameter(Int64(oid))])
      .text(0, 0) == "1"
  }

  /// The setting whose value may change although no row does, and by what; nil where none may.
  private func changing(_ oid: UInt32, _ transaction: PostgresTransaction) throws -> String? {
    let rules = try RowOnly(table: oid, from: mapping.from, in: transaction)
    let condition =
      mapping.condition.map { [MappedExpression(role: .qualifies, setting: "orders.where", sql: $0)] } ?? []
    let expressions = condition + mapping.selected
    for expression in expressions {
      guard let stranger = rules.stranger(in: expression.sql) else { continue }
      return "\(expression.setting) has what may change although its row doesn't (\(stranger))"
    }
    guard let override = try RowOnly.override(of: expressions.map(\.sql), in: transaction) else { return nil }
    return "the mapping may use \(override), which may change although no row does"
  }
}
