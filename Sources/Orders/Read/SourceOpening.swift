import Conversions
import Postgres

/// The statements at the start of each transaction, in one round trip: the server's stand, the types of the mapping's
/// expressions, which locks the table against being rewritten until the end, and then the snapshot's moment and the
/// table's identity.
///
/// In this order: pg_relation_filenode() answers by the catalog as it is, not by the snapshot, and a VACUUM FULL that
/// came between the two would have moved rows under an identity that says they hadn't.
struct SourceOpening: Sendable {
  let sql: ShopSQL
  let plan: FollowPlan
  let isASCII: Bool
  let serverVersion: Int

  /// The facts that a transaction knows before it reads.
  struct Opened: Sendable {
    var description: TableDescription
    var moment: SnapshotMoment
    var stand: ServerStand
    /// The time from which recent is counted back: on a standby that of the last replayed transaction.
    var recentBase: Timestamp
    var identity: String
    /// Blocks of the largest part of the table; 0 where blocks have no part in it.
    var blocks: Int64
  }

  var statements: [String] { [plan.stand.sql, sql.describe, moment] }

  private var moment: String {
    let (horizon, end) = Self.snapshot(serverVersion)
    let identity = plan.identity.isEmpty ? "NULL" : "concat_ws('|', \(plan.identity.joined(separator: ", ")))"
    let blocks = plan.table.map(Self.blocks) ?? "0"
    return """
      SELECT \(horizon)::text, \(end)::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text,
      CASE WHEN pg_is_in_recovery() THEN (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000000)::bigint END::text,
      \(identity), \(blocks)::text,
      (inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr())::int::text
      """
  }

  private static func snapshot(_ serverVersion: Int) -> (horizon: String, end: String) {
    serverVersion >= 130_000
      ? ("pg_snapshot_xmin(pg_current_snapshot())", "pg_snapshot_xmax(pg_current_snapshot())")
      : ("txid_snapshot_xmin(txid_current_snapshot())", "txid_snapshot_xmax(txid_current_snapshot())")
  }

  private static func blocks(_ table: FollowPlan.Table) -> String {
    """
    (SELECT coalesce(max(pg_relation_size(part.oid)), 0) / current_setting('block_size')::bigint
    FROM (\(TableParts.list(of: table.oid))) AS part)
    """
  }

  /// Takes in what the opening statements returned.
  func taken(_ transaction: PostgresTransaction) throws -> Opened {
    guard transaction.opened.count == 3 else {
      throw OrderSourceFailure(kind: .other, message: "the server did not answer each statement")
    }
    let stand = try ServerStand(transaction.opened[0])
    let description = try TableDescriber(sql: sql, isASCII: isASCII)
      .description(transaction.opened[1].columns, transaction)
    let rows = transaction.opened[2]
    guard let horizon = try rows.text(0, 0).flatMap({ UInt64($0) }),
      let end = try rows.text(0, 1).flatMap({ UInt64($0) }), let now = try rows.text(0, 2).flatMap({ Int64($0) })
    else { throw OrderSourceFailure(kind: .other, message: "the server told no time") }
    let replayed = try rows.text(0, 3).flatMap { Int64($0) }
    // A socket of the file system, or both ends of the connection at one address.
    let moment = SnapshotMoment(
      readAt: Timestamp(microseconds: now), horizon: horizon, end: end, isOnHost: try rows.text(0, 6) == "1")
    return Opened(
      description: description, moment: moment, stand: stand, recentBase: Timestamp(microseconds: replayed ?? now),
      identity: "\(plan.mapping) \(description.key.name) \(description.idFamily?.rawValue ?? "-") "
        + "\(description.total?.family.rawValue ?? "-") \(stand.sight) "
        + (try rows.text(0, 4) ?? ""),
      blocks: try rows.text(0, 5).flatMap { Int64($0) } ?? 0)
  }
}

/// The tables that hold a table's rows.
enum TableParts {
  /// SQL that lists their OIDs. pg_partition_tree() locks what it finds, and has no rows for a plain table.
  static func list(of oid: UInt32) -> String {
    "SELECT relid::oid AS oid FROM pg_partition_tree(\(oid)::oid::regclass) WHERE isleaf UNION SELECT \(oid)::oid"
  }
}
