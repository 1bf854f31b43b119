import Conversions
import Postgres

extension ShopInspection {
  /// The time that a connection, and its first answer, are waited for.
  private static let patience = Duration.seconds(5)

  /// Two connections at once: one reads on while the other reads an order again before it is reported.
  func connections(_ report: inout ShopReport) async throws {
    let subject = "orders.connection"
    let first: PostgresConnection
    do { first = try await working() } catch let error as PostgresError {
      report.findings.append(ShopFinding(.fail, subject, FailureWording.failure(error).description))
      return
    }
    do {
      await (try await working()).close()
      report.findings.append(ShopFinding(.ok, subject, "two connections work at once"))
    } catch let error as PostgresError {
      let (limit, words, advice) = try await limit(first)
      report.findings.append(
        isBesideDaemon
          ? besideDaemon(limit, words, error, advice: advice)
          : ShopFinding(.warn, subject, "only one connection is to be had\(words): \(error.message)", advice: advice))
    }
    await first.close()
  }

  /// The daemon's connections count, too: beside it, a second one tells nothing of a limit that is high enough for it.
  private func besideDaemon(_ limit: Int?, _ words: String, _ error: PostgresError, advice: String) -> ShopFinding {
    let shared = "one connection is left beside the running daemon's\(words): it and this check share the limit"
    guard let limit, limit >= Self.daemonConnections else {
      return ShopFinding(
        .warn, "orders.connection", "\(shared), and one below three hinders the daemon: \(error.message)",
        advice: advice)
    }
    return ShopFinding(.ok, "orders.connection", "\(shared), and only one below three hinders the daemon")
  }

  /// The most connections that a daemon holds.
  private static let daemonConnections = 3

  /// The role's or the database's limit of connections, where there is one, and the SQL that raises it.
  private func limit(_ connection: PostgresConnection) async throws -> (limit: Int?, words: String, advice: String) {
    let rows = try? await connection.query(
      """
      SELECT (SELECT rolconnlimit::text FROM pg_roles WHERE rolname = current_user),
      (SELECT datconnlimit::text FROM pg_database WHERE datname = current_database()),
      quote_ident(current_user), quote_ident(current_database())
      """)
    func text(_ column: Int) -> String { (try? rows?.text(0, column)) ?? "-1" }
    if text(0) != "-1" {
      return (
        Int(text(0)), ", as the role's CONNECTION LIMIT is \(text(0))", "ALTER ROLE \(text(2)) CONNECTION LIMIT 3"
      )
    }
    if text(1) != "-1" {
      return (
        Int(text(1)), ", as the database's CONNECTION LIMIT is \(text(1))",
        "ALTER DATABASE \(text(3)) CONNECTION LIMIT 3 or more"
      )
    }
    return (
      nil, "",
      "raise the pooler's pool_size and max_client_conn, or the server's max_connections, to leave room for three"
    )
  }

  /// A connection that has answered: a pooler accepts more than it can serve.
  private func working() async throws -> PostgresConnection {
    let connection = try await PostgresConnection.connect(to: mapping.connection, within: Self.patience)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await connection.query("SELECT 1") }
        group.addTask {
          try await Task.sleep(for: Self.patience)
          throw PostgresError(message: "no answer within \(Self.patience)", isConnectionLost: true)
        }
        defer { group.cancelAll() }
        try await group.next()
      }
      return connection
    } catch {
      await connection.close()
      throw error
    }
  }
}
