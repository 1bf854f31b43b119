import Conversions
import Postgres

/// The type of `orders.columns.total`.
struct TotalType: Hashable, Sendable {
  private let oid: UInt32
  private let modifier: Int32

  /// The type of a described column.
  init(_ column: PostgresRows.Column) { (oid, modifier) = (column.typeOID, column.typeModifier) }

  /// True if it is an integer type.
  var isInteger: Bool { [ColumnType.int2, ColumnType.int4, ColumnType.int8].contains(oid) }

  /// The decimals that a `numeric` declares (PostgreSQL's source, numeric_typmod_scale); nil for any other type.
  var scale: Int? { oid == ColumnType.numeric && modifier >= 4 ? Int((modifier - 4) & 0x7ff) : nil }

  /// The family of a type that can be read.
  var family: SurveyedTotal.Family {
    if ColumnType.texts.contains(oid) { return .text }
    return hasDecimals ? .decimals : .whole
  }

  /// The name of a type that can be read, as format_type() writes it.
  var name: String {
    let length = modifier >= 4 ? "(\(modifier - 4))" : ""
    return switch oid {
    case ColumnType.int2: "smallint"
    case ColumnType.int4: "integer"
    case ColumnType.int8: "bigint"
    case ColumnType.numeric: scale.map { "numeric(\((modifier - 4) >> 16),\($0))" } ?? "numeric"
    case ColumnType.varchar: "character varying\(length)"
    case ColumnType.bpchar: "character\(length)"
    default: "text"
    }
  }

  /// True if values may have decimals, so that the type alone does not tell cents from whole units.
  var hasDecimals: Bool { !isInteger && scale != 0 }

  /// The advice to the operator where totals of this type can't be read; nil where they can.
  func advice(_ sql: String, unit: AmountRules.Unit?) -> String? {
    let advice = exactness(sql)
    guard unit == nil, hasDecimals else { return advice }
    let unit =
      "orders.total_unit has no default for it; write total_unit: major where 50.00 is fifty euros, or total_unit: "
      + "cents where it is fifty cents"
    return advice.map { "\($0); \(unit)" } ?? unit
  }

  private func exactness(_ sql: String) -> String? {
    switch oid {
    case _ where ColumnType.exactNumbers.contains(oid) || ColumnType.texts.contains(oid): nil
    case ColumnType.float4, ColumnType.float8, ColumnType.money:
      "an exact number is needed, never floating point; write (\(sql))::numeric(12,2)"
    case ColumnType.json, ColumnType.jsonb: "a number is needed; write (\(sql) ->> 'name')::numeric"
    default: "numeric, an integer type or a decimal as text is needed; write (\(sql))::numeric"
    }
  }
}
