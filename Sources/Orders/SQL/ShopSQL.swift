/// The statements over the shop's table. Values are bound, or are numbers of our own; what else is written into them is
/// the operator's own SQL and type names from the server.
struct ShopSQL: Sendable {
  let mapping: OrderMapping

  /// No rows, but the types of everything.
  var describe: String { describe(mapping.described, filtered: true) }

  /// No rows, but the types of some expressions.
  func describe(_ expressions: [MappedExpression], filtered: Bool) -> String {
    let list = expressions.isEmpty ? "1" : columns(expressions)
    return "SELECT \(list) FROM \(mapping.from)\n\(filtered ? whereClause([]) : "") LIMIT 0"
  }

  /// Every order with every mapped value, for the planner to tell what it would read.
  var planned: String { "SELECT \(columns(mapping.described)) FROM \(mapping.from)\n\(whereClause([]))" }

  /// Keys in order after `$1` (where there is a start), up to and with `$2` (where there is an end), at most so many:
  /// each with whether it equals the one before in its own type, which for `citext` or `numeric` is more than the same
  /// text.
  func keys(_ type: KeyType, _ bounds: KeyBounds, limit: Int, filtered: Bool) -> String {
    let key = mapping.keyExpression.enclosed
    let conditions = bounds.conditions(key, type)
    return """
      SELECT \(type.output("page.k")), coalesce(page.k = lag(page.k) OVER (ORDER BY page.k), false)::text
      FROM (SELECT \(key) AS k FROM \(mapping.from)
      \(filtered ? whereClause(conditions) : plainWhere(conditions)) ORDER BY \(key) LIMIT \(limit)) AS page
      ORDER BY page.k
      """
  }

  /// Keys and row versions of those rows that fulfil our own conditions, whether or not they are orders: what is read
  /// where some value makes a whole statement fail.
  func keys(_ type: KeyType, where conditions: [String], limit: Int?, versions: Bool) -> String {
    """
    SELECT \(type.output("o.k"))\(versions ? ", o.version" : "") FROM (SELECT \(mapping.keyExpression.enclosed) AS k\
    \(versions ? ", xmin AS version" : "") FROM \(mapping.from)
    \(plainWhere(conditions)) OFFSET 0) AS o\(limit.map { " LIMIT \($0)" } ?? "")
    """
  }

  /// The rows with the keys in `$1`; `$2` is the time zone where the description says so.
  ///
  /// `guarded` has `orders.where` judged for these rows only. Otherwise the planner may try it on others first, a
  /// joined table's say, and fail for one of those; but it keeps conditions that join tables from being used for that.
  func rows(_ description: TableDescription, limit: Int, guarded: Bool = false) -> String {
    let found = "\(mapping.keyExpression.enclosed) = \(description.key.any("$1"))"
    let condition = mapping.condition.map { "CASE WHEN \(found) THEN (\($0)\n) ELSE false END" } ?? "true"
    let clause = guarded ? "WHERE \(found) AND \(condition)" : whereClause([found])
    return rows(description, clause, zone: "$2", limit: limit, versions: false)
  }

  /// The orders that fulfil conditions of ours; `$1` is the time zone where the description says so.
  func rows(_ description: TableDescription, where conditions: [String], limit: Int?) -> String {
    rows(description, whereClause(conditions), zone: "$1", limit: limit, versions: true)
  }

  /// OFFSET 0 keeps the planner from pulling the inner select up, which would evaluate an expression once for each of
  /// its uses.
  private func rows(
    _ description: TableDescription, _ clause: String, zone: String, limit: Int?, versions: Bool
  ) -> String {
    let expressions = mapping.selected
    let placed = placedAt(description, expressions, zone: zone)
    let cells = cells(description) + placed.cells + (versions ? ["o.version"] : [])
    return """
      SELECT \(cells.joined(separator: ", "))
      FROM (SELECT \(columns(expressions))\(versions ? ", xmin AS version" : "") FROM \(mapping.from)
      \(clause) OFFSET 0) AS o\(placed.joins)\(limit.map { "\nLIMIT \($0)" } ?? "")
      """
  }

  /// Counts the orders within bounds of the key, and sums the hashes of all their values: the same for the same rows in
  /// any order in which they are read.
  func hash(_ type: KeyType, _ bounds: KeyBounds) -> String {
    let key = mapping.keyExpression.enclosed
    return """
      SELECT count(*)::text || ':' || coalesce(sum(hashtextextended(o::text, 0)::numeric), 0)::text
      FROM (SELECT \(columns(mapping.selected)) FROM \(mapping.from)
      \(whereClause(bounds.conditions(key, type))) OFFSET 0) AS o
      """
  }

  /// Asks if the row with a key is an order, of that row alone.
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

  /// Asks if any row has no key.
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
    plainWhere((mapping.condition.map { ["(\($0)\n)"] } ?? []) + conditions)
  }

  private func plainWhere(_ conditions: [String]) -> String {
    conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
  }

  private func columns(_ expressions: [MappedExpression]) -> String {
    expressions.enumerated().map { "\($1.enclosed) AS c\($0)" }.joined(separator: ", ")
  }

  /// A cell for each expression that has one.
  private func cells(_ description: TableDescription) -> [String] {
    let roles = mapping.cells(description)
    return mapping.selected.enumerated().compactMap { index, expression in
      roles.contains(expression.role) ? output(expression, "o.c\(index)", description) : nil
    }
  }

  private func output(_ expression: MappedExpression, _ column: String, _ description: TableDescription) -> String {
    switch expression.role {
    case .key: description.key.output(column)
    case .qualifies: "(\(column) IS TRUE)"
    case .metadata: "to_jsonb(\(column))::text"
    default: "\(column)::text"
    }
  }

  private func placedAt(
    _ description: TableDescription, _ expressions: [MappedExpression], zone: String
  ) -> PlacedAtSQL {
    let index = expressions.firstIndex { $0.role == .placedAt } ?? 0
    return PlacedAtSQL(type: description.placedAt, column: "o.c\(index)", zone: "\(zone)::text")
  }
}

/// A part of the key's order: behind one key, up to and with another.
struct KeyBounds: Hashable, Sendable {
  var after: String?
  var upTo: String?

  /// The values of the parameters that `conditions` names.
  var parameters: [String] { [after, upTo].compactMap { $0 } }

  /// Conditions over `$1` and `$2`, as far as there are bounds.
  func conditions(_ key: String, _ type: KeyType) -> [String] {
    var conditions: [String] = []
    if after != nil { conditions.append("\(key) > \(type.input("$1"))") }
    if upTo != nil { conditions.append("\(key) <= \(type.input(after == nil ? "$1" : "$2"))") }
    return conditions.isEmpty ? ["\(key) IS NOT NULL"] : conditions
  }
}
