import Postgres

extension PostgresRows.Column {
  /// True if an index proves that no two rows share a value of this column: unique, valid, over all rows and over
  /// nothing else (PostgreSQL manual, 53.26 pg_index).
  func hasUniqueIndex(_ transaction: PostgresTransaction) throws -> Bool {
    guard tableOID != 0, tableColumn > 0 else { return false }
    let rows = try transaction.query(
      """
      SELECT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = $1::oid AND indisunique AND indisvalid AND indpred IS NULL
      AND indnkeyatts = 1 AND indkey[0] = $2::int2)::text
      """, [PostgresParameter(Int64(tableOID)), PostgresParameter(Int64(tableColumn))])
    return try rows.text(0, 0) == "true"
  }
}
