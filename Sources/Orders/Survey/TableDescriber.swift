import Conversions
import Postgres

/// Learns what the mapping's expressions are, or says which of them does not fit the table.
struct TableDescriber: Sendable {
  let sql: ShopSQL
  /// True if the database's encoding is SQL_ASCII, in which any bytes are text.
  let isASCII: Bool

  private var mapping: OrderMapping { sql.mapping }

  /// Describes the mapping within a transaction.
  ///
  /// - Throws: `OrderSourceFailure` of kind `mapping` or `permission` that names the setting; `PostgresError`
  ///   otherwise.
  func description(in transaction: PostgresTransaction) throws -> TableDescription {
    switch try transaction.attempt({ try transaction.query(sql.describe) }) {
    case .success(let rows): return try description(rows.columns, transaction)
    case .failure(let error):
      guard [.mapping, .permission, .data, .other].contains(error.kind) else { throw error }
      throw try culprit(error, transaction)
    }
  }

  func description(_ columns: [PostgresRows.Column], _ transaction: PostgresTransaction) throws
    -> TableDescription
  {
    var key: KeyType?
    var placedAt: PlacedAtType?
    var total: TotalType?
    var idFamily: TypeFamily?
    for (expression, column) in zip(mapping.described, columns) {
      switch expression.role {
      case .key: key = try keyType(column.typeOID, transaction)
      case .id, .email, .externalSourceID, .customerID, .status, .currency:
        if ColumnType.jsons.contains(column.typeOID) {
          throw try misfit(expression, column, Self.jsonAdvice(expression.sql), transaction)
        }
        if expression.role == .id { idFamily = TypeFamily(typeOID: column.typeOID) }
      case .placedAt:
        placedAt = PlacedAtType(typeOID: column.typeOID, typeModifier: column.typeModifier)
        if placedAt == nil { throw try misfit(expression, column, Self.placedAtAdvice, transaction) }
      case .total:
        let type = TotalType(column)
        if let advice = type.advice(expression.sql, unit: mapping.totalUnit) {
          throw try misfit(expression, column, advice, transaction)
        }
        total = type
      case .qualifies where column.typeOID != ColumnType.bool:
        throw try misfit(expression, column, "a condition is needed, such as status = 'paid'", transaction)
      default: break
      }
    }
    guard let key, let placedAt else {
      throw OrderSourceFailure(kind: .other, message: "the mapping was not described")
    }
    guard mapping.qualifies != nil || mapping.columns.status != nil else {
      throw OrderSourceFailure(
        kind: .mapping, message: "orders.columns.status and orders.qualifying_statuses, or orders.qualifies, is needed")
    }
    return TableDescription(key: key, placedAt: placedAt, total: total, idFamily: idFamily)
  }

  /// The advice for a value that would keep its quotes, and match nothing.
  private static func jsonAdvice(_ sql: String) -> String {
    guard let arrow = sql.ranges(of: #/(?:->|#>)(?!>)/#).last else {
      return "text is needed, and a value of it keeps its quotes; write ->> to take it out, such as (\(sql)) ->> 'name'"
    }
    var written = sql
    written.replaceSubrange(arrow, with: "\(sql[arrow])>")
    return "text is needed, and a value of it keeps its quotes; write \(sql[arrow])> for \(sql[arrow]): \(written)"
  }

  private static let placedAtAdvice =
    "timestamp with time zone, timestamp or date is needed; write to_timestamp(seconds) or a cast such as x::timestamptz"

  private func keyType(_ oid: UInt32, _ transaction: PostgresTransaction) throws -> KeyType {
    let names = [
      ColumnType.int2: "smallint", ColumnType.int4: "integer", ColumnType.int8: "bigint", ColumnType.uuid: "uuid",
      ColumnType.numeric: "numeric", ColumnType.text: "text", ColumnType.varchar: "varchar",
      ColumnType.bpchar: "bpchar",
    ]
    if let name = names[oid] { return KeyType(name: name, isEscaped: isASCII && ColumnType.texts.contains(oid)) }
    let rows = try transaction.query(
      "SELECT format_type(oid, -1), (typcategory = 'S')::text, typcategory::text FROM pg_type WHERE oid = $1::oid",
      [PostgresParameter(Int64(oid))])
    guard rows.count == 1, let name = try rows.text(0, 0) else {
      throw OrderSourceFailure(kind: .mapping, message: "\(mapping.keyExpression.setting): type \(oid) is unknown")
    }
    // Several columns, arrays and pseudo-types can't be bound one by one, and others have no order to walk by.
    let isSingle = try !["A", "C", "P"].contains(rows.text(0, 2) ?? "")
    guard isSingle, case .success = try transaction.attempt({ try transaction.query(Self.comparison(name)) }) else {
      throw OrderSourceFailure(
        kind: .mapping,
        message: "\(mapping.keyExpression.setting) is of type \(name), by which no order can be found again: write one "
          + "unique column, or put several together as text, such as shop || '-' || no")
    }
    return KeyType(name: name, isEscaped: try isASCII && rows.text(0, 1) == "true")
  }

  /// The comparisons by which a table is walked and rows are found.
  private static func comparison(_ type: String) -> String {
    "SELECT NULL::\(type) > NULL::\(type), NULL::\(type) = ANY (NULL::\(type)[])"
  }

  private func misfit(
    _ expression: MappedExpression, _ column: PostgresRows.Column, _ advice: String, _ transaction: PostgresTransaction
  ) throws -> OrderSourceFailure {
    let rows = try transaction.query(
      "SELECT format_type($1::oid, $2::int4)",
      [PostgresParameter(Int64(column.typeOID)), PostgresParameter(Int64(column.typeModifier))])
    let name = try rows.text(0, 0) ?? "unknown"
    return OrderSourceFailure(kind: .mapping, message: "\(expression.setting) is of type \(name): \(advice)")
  }

  /// Tries the parts one by one, as the server's message alone does not say which setting it is about.
  private func culprit(_ error: PostgresError, _ transaction: PostgresTransaction) throws -> OrderSourceFailure {
    func fails(_ statement: String) throws -> PostgresError? {
      if case .failure(let error) = try transaction.attempt({ try transaction.query(statement) }) { error } else { nil }
    }
    if let error = try fails(sql.describe([], filtered: false)) {
      return FailureWording.failure(error, at: "orders.from")
    }
    if let error = try fails(sql.describe([], filtered: true)) {
      return FailureWording.failure(error, at: "orders.where")
    }
    for expression in mapping.described {
      if let error = try fails(sql.describe([expression], filtered: false)) {
        return FailureWording.failure(error, at: expression.setting)
      }
    }
    return FailureWording.failure(error, at: "orders")
  }
}
