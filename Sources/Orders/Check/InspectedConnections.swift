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
      let (limit, advice) = try await limit(first)
      report.findings.append(
        ShopFinding(.warn, subject, "only one connection is to be had\(limit): \(error.message)", advice: advice))
    }
    await first.close()
  }

  /// The role's or the database's limit of connections, where there is one, and the SQL that raises it.
  private func limit(_ connection: PostgresConnection) async throws -> (words: String, advice: String) {
    let rows = try? await connection.query(
      """
      SELECT (SELECT rolconnlimit::text FROM pg_roles WHERE rolname = current_user),
      (SELECT datconnlimit::text FROM pg_database WHERE datname = current_database()),
      quote_ident(current_user), quote_ident(current_database())
      """)
    func text(_ column: Int) -> String { (try? rows?.text(0, column)) ?? "-1" }
    if text(0) != "-1" {
      return (", as the role's CONNECTION LIMIT is \(text(0))", "ALTER ROLE \(text(2)) CONNECTION LIMIT 3")
    }
    if text(1) != "-1" {
      return (
        ", as the database's CONNECTION LIMIT is \(text(1))", "ALTER DATABASE \(text(3)) CONNECTION LIMIT 3 or more"
      )
    }
    return (
      "", "raise the pooler's pool_size and max_client_conn, or the server's max_connections, to leave room for three"
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
