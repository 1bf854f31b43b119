import Conversions
import Postgres

/// Asks the server which database and table a mapping reads.
struct SourceSurvey {
  let mapping: OrderMapping

  /// - Throws: `PostgresError`.
  func source(_ description: TableDescription, in transaction: PostgresTransaction) throws -> SurveyedSource {
    let database = try transaction.query("SELECT current_database()::text").text(0, 0) ?? ""
    // Fails for a join, which is no relation's name.
    let named = try transaction.attempt {
      try transaction.query(
        """
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1::text)::oid
        """, [PostgresParameter(mapping.from)])
    }
    var table: String?
    if case .success(let rows) = named, rows.count == 1 { table = try rows.text(0, 0) }
    return SurveyedSource(
      database: database, table: table, keyFamily: description.key.family, idFamily: description.idFamily,
      total: description.total.map { total in
        SurveyedTotal(
          sql: mapping.columns.total ?? "", unit: mapping.totalUnit?.rawValue, type: total.name, family: total.family)
      })
  }
}

extension KeyType {
  /// The key's kind; nil for one of which nothing is promised.
  var family: TypeFamily? {
    switch name {
    case "smallint", "integer", "bigint", "numeric": .integer
    case "text", "varchar", "bpchar": .text
    case "uuid": .uuid
    default: nil
    }
  }
}

extension TypeFamily {
  /// The kind of a type; nil for one of which nothing is promised.
  init?(typeOID: UInt32) {
    switch typeOID {
    case ColumnType.int2, ColumnType.int4, ColumnType.int8, ColumnType.numeric: self = .integer
    case ColumnType.text, ColumnType.varchar, ColumnType.bpchar: self = .text
    case ColumnType.uuid: self = .uuid
    default: return nil
    }
  }
}

extension SurveyedSource {
  /// Refuses a table whose keys or IDs are of another kind than those that are known: none of these could be found, and
  /// each would look like an order that is gone. So it does with one whose totals are, which would be sent wrong.
  ///
  /// - Throws: `OrderSourceFailure` of kind `mapping`.
  func check(_ description: TableDescription) throws {
    var found = self
    (found.keyFamily, found.idFamily) = (description.key.family, description.idFamily)
    if let total = description.total {
      found.total?.type = total.name
      found.total?.family = total.family
    }
    if let refusal = refusal(of: found) { throw OrderSourceFailure(kind: .mapping, message: refusal) }
  }
}
