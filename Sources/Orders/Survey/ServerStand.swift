import Conversions
import Postgres

/// The server that answers a transaction, how far it has come, and what decides which rows it shows.
struct ServerStand: Hashable, Sendable {
  /// The cluster (pg_control_system), the same on a primary and its standbys; nil where the role may not ask.
  var system: String?
  /// This one server of the cluster, since its start.
  var server: String
  var isStandby: Bool
  /// The WAL position that it has written, or a standby has replayed, in bytes; nil where it tells none.
  var position: UInt64?
  /// Tells what decides which rows are seen: the role, the tables that the names stand for, views, policies.
  var visibility: String
  /// Tables whose rows are hidden from this role by row-level security, as far as no policy shows them.
  var policed: Set<String>

  /// Tells a change of what is seen from a mere restart.
  var sight: String { [system ?? "", visibility].joined(separator: " ") }

  init(_ rows: PostgresRows) throws {
    func text(_ column: Int) throws -> String? { try rows.text(0, column).flatMap { $0.isEmpty ? nil : $0 } }
    system = try text(0)
    server = [system, try text(1)].compactMap { $0 }.joined(separator: " ")
    isStandby = try text(2) == "1"
    position = try text(3).flatMap { UInt64($0) }.map(Self.withoutPageHeader)
    visibility = try text(4) ?? ""
    policed = Set(try text(5)?.split(separator: "\n").map(String.init) ?? [])
  }

  /// A position at the start of a page stands behind the page's header on a primary, and before it on a standby that
  /// has replayed all there is (PostgreSQL's source, XLogBytePosToRecPtr and XLogBytePosToEndRecPtr).
  private static func withoutPageHeader(_ position: UInt64) -> UInt64 {
    let (page, segment) = (position % 8192, position % (16 << 20))
    return page == 24 ? position - 24 : segment == 40 ? position - 40 : position
  }
}

/// The statement that asks a server for its stand.
struct StandQuery: Hashable, Sendable {
  let sql: String

  /// The statement for the relations that the operator's SQL names, of what this server has and this role may ask for.
  init(naming mapping: OrderMapping, in transaction: PostgresTransaction) throws {
    func allowed(_ expression: String) throws -> String? {
      guard case .success = try transaction.attempt({ try transaction.query("SELECT \(expression)") }) else {
        return nil
      }
      return expression
    }
    let names = try Self.relations(of: mapping, transaction)
    let list = "ARRAY[\(names.map(Self.literal).joined(separator: ", "))]::text[]"
    let system = try allowed("(SELECT system_identifier::text FROM pg_control_system())")
    let server = try [
      "extract(epoch FROM pg_postmaster_start_time())", "inet_server_addr()", "inet_server_port()",
    ].compactMap(allowed)
    let position = try allowed(
      """
      (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END \
      - '0/0'::pg_lsn)::text
      """)
    let head = """
      SELECT \(system ?? "NULL"), concat_ws('/', \((server + ["NULL"]).joined(separator: ", "))),
      pg_is_in_recovery()::int::text, \(position ?? "NULL"), concat_ws('|', current_user, current_setting('row_security')
      """
    sql =
      try Self.arePlain(names, transaction)
      ? head + Self.plain(list) : Self.reached(from: list) + head + Self.whole(list)
  }

  /// Says if the names stand for tables without row-level security: there is little to ask of them then, and each
  /// transaction asks.
  private static func arePlain(_ names: [String], _ transaction: PostgresTransaction) throws -> Bool {
    let rows = try transaction.query(
      """
      SELECT coalesce(bool_and(relkind IN ('r', 'p') AND NOT relrowsecurity), false)::int::text
      FROM unnest($1::text[]) AS n JOIN pg_class c ON c.oid = to_regclass(n)
      """, [PostgresParameter(array: names)])
    return try rows.text(0, 0) == "1"
  }

  /// Shows row-level security that is switched on, and another table under the same name.
  private static func plain(_ names: String) -> String {
    """
    , (SELECT string_agg(concat_ws(' ', c.oid, c.relkind, c.relowner, c.relrowsecurity), ',')
      FROM unnest(\(names)) AS n LEFT JOIN pg_class c ON c.oid = to_regclass(n))),
    (SELECT string_agg(n, E'\\n') FROM unnest(\(names)) AS n WHERE row_security_active(to_regclass(n)))
    """
  }

  private static func whole(_ names: String) -> String {
    """
    , (SELECT string_agg(coalesce(to_regclass(n)::oid, 0)::text, ',') FROM unnest(\(names)) AS n),
      md5((SELECT string_agg(concat_ws(' ', c.oid, c.relkind, c.relowner, s.usr, s.hides,
        CASE WHEN c.relkind = 'v' THEN c.reloptions END,
        (SELECT string_agg(concat_ws(':', w.oid, w.xmin), ',' ORDER BY w.oid) FROM pg_rewrite w
          WHERE w.ev_class = c.oid),
        (SELECT string_agg(concat_ws(':', p.oid, p.xmin, (SELECT bool_or(r = 0 OR pg_has_role(s.usr, r, 'USAGE'))
            FROM unnest(p.polroles) AS r)), ',' ORDER BY p.oid)
          FROM pg_policy p WHERE p.polrelid = c.oid AND c.relrowsecurity)), ';' ORDER BY c.oid, s.usr)
        FROM seen s JOIN pg_class c ON c.oid = s.oid))),
    (SELECT string_agg(DISTINCT s.oid::regclass::text, E'\\n') FROM seen s WHERE s.hides)
    """
  }

  /// Every relation that is read, with the role by whose rights: a view's owner's, unless it says otherwise. `hides`
  /// tells whether row-level security holds for that role (PostgreSQL's source, check_enable_rls).
  private static func reached(from names: String) -> String {
    """
    WITH RECURSIVE reached(oid, usr) AS (
      SELECT to_regclass(n)::oid, (SELECT oid FROM pg_roles WHERE rolname = current_user) FROM unnest(\(names)) AS n
      UNION
      SELECT d.refobjid, CASE WHEN v.reloptions::text ~* 'security_invoker=(true|on|1|yes)' THEN r.usr ELSE v.relowner END
      FROM reached r JOIN pg_class v ON v.oid = r.oid JOIN pg_rewrite w ON w.ev_class = v.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        AND d.refclassid = 'pg_class'::regclass),
    seen AS (
      SELECT DISTINCT r.oid, r.usr, coalesce(c.relrowsecurity AND NOT u.rolsuper AND NOT u.rolbypassrls
        AND (c.relforcerowsecurity OR NOT pg_has_role(r.usr, c.relowner, 'USAGE')), false) AS hides
      FROM reached r JOIN pg_class c ON c.oid = r.oid LEFT JOIN pg_roles u ON u.oid = r.usr)

    """
  }

  /// Names in the operator's SQL that stand for relations.
  private static func relations(of mapping: OrderMapping, _ transaction: PostgresTransaction) throws -> [String] {
    let texts = [mapping.from] + (mapping.condition.map { [$0] } ?? []) + mapping.described.map(\.sql)
    let found = Set(texts.flatMap { SQLTokens($0).names }).sorted()
    guard !found.isEmpty else { return [] }
    let rows = try transaction.query(
      "SELECT n FROM unnest($1::text[]) AS n WHERE to_regclass(n) IS NOT NULL ORDER BY n",
      [PostgresParameter(array: found)])
    return try (0..<rows.count).compactMap { try rows.text($0, 0) }
  }

  /// A literal that means the same whatever `standard_conforming_strings` is.
  private static func literal(_ text: String) -> String {
    "E'\(text.replacing("\\", with: "\\\\").replacing("'", with: "''"))'"
  }
}
