import Conversions
import Foundation
import Postgres

/// Finds out how a table can be followed: by its row versions where one ordinary table holds everything that the
/// mapping reads, by hashes elsewhere.
///
/// A row version tells only of changes to its own row: a payment inserted behind a sub-select, a joined row deleted, a
/// function that reads another table change what an order is and no xmin.
struct SourceSurveyor: Sendable {
  let sql: ShopSQL
  let isASCII: Bool
  let serverVersion: Int

  private var mapping: OrderMapping { sql.mapping }

  /// - Throws: `OrderSourceFailure` of kind `mapping` or `permission` that names the setting; `PostgresError`
  ///   otherwise.
  func plan(_ transaction: PostgresTransaction) throws -> FollowPlan {
    let describing = TableDescriber(sql: sql, isASCII: isASCII)
    let description = try describing.description(in: transaction)
    try checkTimeZone(transaction)
    let columns = try transaction.query(sql.describe).columns
    let verdict = try TableTrust(sql: sql, serverVersion: serverVersion).verdict(
      key: columns[0], in: transaction)
    var plan = FollowPlan(
      table: verdict.table, because: verdict.because, advice: verdict.advice, identity: [],
      recent: recent(columns), stand: try StandQuery(naming: mapping, in: transaction),
      mapping: digest(description, transaction: transaction, method: verdict.table == nil))
    if let table = verdict.table {
      plan.identity = try TableIdentity(oid: table.oid).expressions(in: transaction)
    }
    return plan
  }

  private func checkTimeZone(_ transaction: PostgresTransaction) throws {
    let found = try transaction.attempt {
      try transaction.query("SELECT (now() AT TIME ZONE $1::text)::text", [PostgresParameter(mapping.timeZone)])
    }
    guard case .failure(let error) = found else { return }
    guard error.kind == .data else { throw error }
    throw OrderSourceFailure(
      kind: .mapping, sqlState: error.sqlState?.rawValue, message: "orders.time_zone: \(error.message)")
  }

  private func recent(_ columns: [PostgresRows.Column]) -> [RecentColumn] {
    zip(mapping.described, columns).compactMap { expression, column in
      guard case .updatedAt = expression.role,
        let type = PlacedAtType(typeOID: column.typeOID, typeModifier: column.typeModifier)
      else { return nil }
      return RecentColumn(expression: expression, type: type.kind)
    }
  }

  /// The mapping as far as it decides what is read, and how values become text.
  private func digest(_ description: TableDescription, transaction: PostgresTransaction, method isHashes: Bool)
    -> String
  {
    var digest = ContentDigest()
    for expression in mapping.selected { digest.combine("\(expression.setting)=\(expression.sql)") }
    let parts: [String?] = [
      mapping.from, mapping.condition, mapping.timeZone, mapping.qualifyingStatuses.joined(separator: "\n"),
    ]
    for part in parts { digest.combine(part) }
    digest.combine("\(description.key.name) \(description.placedAt.kind) \(description.placedAt.granule)")
    // Hashes are of one major version's text and hash functions; transaction numbers of one server's.
    digest.combine(isHashes ? "hashes \(serverVersion / 10_000)" : "versions")
    return String(UInt64(bitPattern: digest.bits), radix: 16)
  }
}

/// The identity of a table with trusted row versions. When any of it changes, every horizon is forgotten.
struct TableIdentity: Sendable {
  let oid: UInt32

  /// SQL expressions without parameters; those that this server has and this role may ask for.
  ///
  /// A restart is one of them: after a crash with synchronous_commit=off, transaction numbers that were seen are given
  /// out again. The timeline is the one that is written, as a checkpoint's lags a promotion.
  func expressions(in transaction: PostgresTransaction) throws -> [String] {
    let wanted = [
      "pg_is_in_recovery()::text",
      """
      CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id::text FROM pg_control_checkpoint()) \
      ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
      """,
      // An enumerated type's label that is renamed changes rows without writing one.
      """
      (SELECT md5(string_agg(concat_ws(':', e.oid, e.xmin), ',' ORDER BY e.oid)) FROM pg_enum e
      WHERE e.enumtypid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = \(oid)::oid AND attnum > 0))
      """,
      // So does a column that is added with a default.
      """
      (SELECT md5(string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod, atthasmissing, attisdropped), ',' \
      ORDER BY attnum)) FROM pg_attribute WHERE attrelid = \(oid)::oid AND attnum > 0)
      """,
      """
      (SELECT string_agg(part.oid::text || ':' || coalesce(pg_relation_filenode(part.oid), 0)::text, ',' \
      ORDER BY part.oid) FROM (\(TableParts.list(of: oid))) AS part)
      """,
      // Behind a line break stands a restart's part.
      "chr(10) || extract(epoch FROM pg_postmaster_start_time())::text",
      // After a backend was killed the server recovers under the same postmaster, and numbers are given out again, too;
      // what it counted begins anew then (PostgreSQL manual, 27.2 The Cumulative Statistics System).
      "(SELECT chr(10) || extract(epoch FROM stats_reset)::text FROM pg_stat_bgwriter)",
    ]
    return try wanted.filter { expression in
      if case .success = try transaction.attempt({ try transaction.query("SELECT \(expression)") }) {
        true
      } else {
        false
      }
    }
  }
}
