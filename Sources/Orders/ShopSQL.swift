/// The statements over the shop's table. Values are always bound; what is written into them is the operator's own SQL
/// and type names from the server.
struct ShopSQL: Sendable {
  let mapping: OrderMapping

  /// No rows, but the types of everything.
  var describe: String { describe(mapping.described, filtered: true) }

  /// No rows, but the types of some expressions.
  func describe(_ expressions: [MappedExpression], filtered: Bool) -> String {
    let list = expressions.isEmpty ? "1" : columns(expressions)
    return "SELECT \(list) FROM \(mapping.from)\n\(filtered ? whereClause([]) : "") LIMIT 0"
  }

  /// Keys in order after `$1`, at most `$2` (`$1` without a start): each with whether it equals the one before in its
  /// own type, which for `citext` or `numeric` is more than the same text.
  func keys(_ type: KeyType, continues: Bool, filtered: Bool) -> String {
    let key = mapping.keyExpression.enclosed
    let bound = continues ? "\(key) > \(type.input("$1"))" : "\(key) IS NOT NULL"
    let limit = continues ? "$2" : "$1"
    return """
      SELECT \(type.output("page.k")), coalesce(page.k = lag(page.k) OVER (ORDER BY page.k), false)::text
      FROM (SELECT \(key) AS k FROM \(mapping.from)
      \(filtered ? whereClause([bound]) : "WHERE \(bound)") ORDER BY \(key) LIMIT \(limit)::bigint) AS page
      ORDER BY page.k
      """
  }

  /// The rows with the keys in `$1`; `$2` is the time zone where the description says so. OFFSET 0 keeps the planner
  /// from pulling the inner select up, which would evaluate an expression once for each of its uses.
  ///
  /// `guarded` has `orders.where` judged for these rows only. Otherwise the planner may try it on others first, a joined
  /// table's say, and fail for one of those; but it keeps conditions that join tables from being used for that.
  func rows(_ description: TableDescription, limit: Int, guarded: Bool = false) -> String {
    let expressions = mapping.selected
    let found = "\(mapping.keyExpression.enclosed) = \(description.key.any("$1"))"
    let condition = mapping.condition.map { "CASE WHEN \(found) THEN (\($0)\n) ELSE false END" } ?? "true"
    let placed = placedAt(description, expressions)
    return """
      SELECT \((cells(description, expressions) + placed.cells).joined(separator: ", "))
      FROM (SELECT \(columns(expressions)) FROM \(mapping.from)
      \(guarded ? "WHERE \(found) AND \(condition)" : whereClause([found])) OFFSET 0) AS o\(placed.joins)
      LIMIT \(limit)
      """
  }

  /// Whether the row with a key is an order, asked of that row alone.
  func condition(_ description: TableDescription) -> String {
    """
    SELECT (\(mapping.condition ?? "true")\n) IS TRUE FROM \(mapping.from)
    WHERE \(mapping.keyExpression.enclosed) = \(description.key.input("$1")) LIMIT 1
    """
  }

  /// One expression's value for one key, to find the expression that fails.
  func value(of expression: MappedExpression, _ description: TableDescription) -> String {
    """
    SELECT \(output(expression, "o.c0", description)) FROM (SELECT \(columns([expression])) FROM \(mapping.from)
    WHERE \(mapping.keyExpression.enclosed) = \(description.key.input("$1")) OFFSET 0) AS o LIMIT 1
    """
  }

  /// Whether a row has no key.
  var hasNullKeys: String {
    "SELECT EXISTS (SELECT 1 FROM \(mapping.from)\n\(whereClause(["\(mapping.keyExpression.enclosed) IS NULL"])))::text"
  }

  /// Every order, for the planner to estimate.
  var everything: String { "SELECT 1 FROM \(mapping.from)\n\(whereClause([]))" }

  /// An expression's values for some orders, in no order.
  func sample(_ expression: String, _ limit: Int) -> String {
    "SELECT \(expression) FROM \(mapping.from)\n\(whereClause([])) LIMIT \(limit)"
  }

  /// WHERE with the operator's condition and further ones.
  func whereClause(_ conditions: [String]) -> String {
    let all = (mapping.condition.map { ["(\($0)\n)"] } ?? []) + conditions
    return all.isEmpty ? "" : "WHERE " + all.joined(separator: " AND ")
  }

  private func columns(_ expressions: [MappedExpression]) -> String {
    expressions.enumerated().map { "\($1.enclosed) AS c\($0)" }.joined(separator: ", ")
  }

  /// A cell for each expression but `placed_at`, which has cells of its own after these, and NULL in its place here.
  private func cells(_ description: TableDescription, _ expressions: [MappedExpression]) -> [String] {
    expressions.enumerated().map { index, expression in
      expression.role == .placedAt ? "NULL" : output(expression, "o.c\(index)", description)
    }
  }

  private func output(_ expression: MappedExpression, _ column: String, _ description: TableDescription) -> String {
    switch expression.role {
    case .key: description.key.output(column)
    case .qualifies: "(\(column) IS TRUE)::text"
    case .metadata: "to_jsonb(\(column))::text"
    default: "\(column)::text"
    }
  }

  private func placedAt(_ description: TableDescription, _ expressions: [MappedExpression]) -> PlacedAtSQL {
    let index = expressions.firstIndex { $0.role == .placedAt } ?? 0
    return PlacedAtSQL(type: description.placedAt, column: "o.c\(index)", zone: "$2::text")
  }
}
