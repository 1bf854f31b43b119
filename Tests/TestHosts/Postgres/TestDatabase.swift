import Foundation

/// A database of one test's own. It goes with its cluster.
public struct TestDatabase: Sendable {
  /// Its name.
  public let name: String
  /// The schema that is a test's own in it; nil where all of the database is.
  public let schema: String?
  /// The server that it is in.
  public let cluster: PostgresCluster
  let psql: String

  /// The conninfo of a connection as the superuser.
  public var conninfo: String { conninfo(user: "postgres") }

  /// Returns the conninfo of a connection as another role; none needs a password.
  public func conninfo(user: String) -> String {
    cluster.conninfo(database: name, user: user) + (schema.map { " options=-csearch_path=\($0)" } ?? "")
  }

  /// Runs SQL as psql(1) does (several statements, backslash commands) and returns its rows, unaligned.
  ///
  /// - Throws: `TestHostError` with psql's message at the first error.
  @discardableResult
  public func execute(
    _ sql: String, user: String = "postgres", variables: [String: String] = [:], within limit: Duration = .seconds(60)
  ) async throws -> String {
    var arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo(user: user)]
    for (name, value) in variables { arguments += ["-v", "\(name)=\(value)"] }
    arguments += ["-f", "-"]
    // Otherwise psql takes the database's own encoding for that of the text it is given.
    let environment = ProcessInfo.processInfo.environment.merging(["PGCLIENTENCODING": "UTF8"]) { $1 }
    let result = try await cluster.gate.pass {
      try await ChildProcess.run(psql, arguments, input: sql + "\n", environment: environment, within: limit)
    }
    guard result.end == .exited(0) else { throw TestHostError("psql: \(result.errors)") }
    return result.output.hasSuffix("\n") ? String(result.output.dropLast()) : result.output
  }
}
