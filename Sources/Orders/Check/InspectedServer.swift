import Conversions
import Postgres

extension ShopInspection {
  /// The server itself: version, encoding, standby, pooler, clock.
  func server(_ connection: PostgresConnection, _ report: inout ShopReport) async throws {
    let announced = await connection.backendPID
    let version = connection.serverVersion
    let before = clock.now
    var difference: Duration?
    try await ask("database", connection, &report) { transaction in
      let rows = try transaction.query(
        """
        SELECT current_setting('server_version'), current_setting('server_encoding'), pg_is_in_recovery()::text,
        pg_backend_pid()::text, current_database(), current_user::text
        """)
      func text(_ column: Int) throws -> String { try rows.text(0, column) ?? "" }
      let place = try "PostgreSQL \(text(0)), database \(text(4)), as \(text(5))"
      return try [version < 120_000 ? Self.old(place) : ShopFinding(.ok, "database", place)]
        + Self.encoding(text(1)) + Self.recovery(text(2)) + Self.pooler(announced, text(3))
    }
    if let rows = try? await connection.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text"),
      let now = try? rows.text(0, 0).flatMap({ Int64($0) })
    {
      let after = clock.now
      // The server answered somewhere in between; half of the way is the best guess.
      let middle = before + .microseconds((after - before).wholeMicroseconds / 2)
      difference = Timestamp(microseconds: now) - middle
    }
    report.clockDifference = difference
    if let difference { report.findings.append(Self.clock(difference)) }
  }

  private static func old(_ place: String) -> ShopFinding {
    ShopFinding(.warn, "database", place, advice: "versions before 12 are not tested")
  }

  private static func encoding(_ name: String) -> [ShopFinding] {
    guard name == "SQL_ASCII" else { return [ShopFinding(.ok, "encoding", "\(name), read as UTF8")] }
    return [
      ShopFinding(
        .warn, "encoding", "SQL_ASCII: the server does not know what its bytes mean",
        advice: "values that are not UTF-8 go to review as unreadable")
    ]
  }

  private static func recovery(_ text: String) -> [ShopFinding] {
    guard text == "true" else { return [] }
    return [
      ShopFinding(
        .warn, "database", "a standby: orders are seen when it has replayed them",
        advice: "watch its lag; re-reads before a report are as old as it is")
    ]
  }

  private static func pooler(_ announced: Int, _ own: String) -> [ShopFinding] {
    guard own != String(announced) else { return [] }
    return [ShopFinding(.ok, "connection", "through a pooler (such as PgBouncer): LISTEN is off, polling is not")]
  }

  private static func clock(_ difference: Duration) -> ShopFinding {
    let seconds = difference.inSeconds
    let words = "the server's clock is \(String(Int64((seconds * 1000).rounded()))) ms ahead of this host's"
    guard abs(seconds) > 2 else { return ShopFinding(.ok, "clock", words) }
    return ShopFinding(
      .warn, "clock", words, advice: "run NTP on both: placed_at is compared with the API's times")
  }
}
