import Foundation

/// A PgBouncer of a test's own before a cluster, with its socket in a folder of its own.
public final class PgBouncer: Sendable {
  static let port = 6432
  private let folder: TemporaryFolder
  private let process: ChildProcess

  /// Starts one.
  ///
  /// - Parameters:
  ///   - cluster: Its server.
  ///   - users: The roles that it lets in, beside the superuser.
  ///   - settings: Of its `[pgbouncer]` section, over a pool of one session in transaction mode.
  /// - Throws: `TestHostError` with the end of its log.
  public init(before cluster: PostgresCluster, users: [String] = [], _ settings: [String: String] = [:]) async throws {
    folder = try TemporaryFolder("bouncer")
    let programs = try PostgresPrograms()
    try programs.handOver(folder.path)
    let defaults = [
      "listen_addr": "", "listen_port": String(Self.port), "unix_socket_dir": folder.path, "auth_type": "trust",
      "auth_file": folder.path("users"),
      "pool_mode": "transaction", "default_pool_size": "1", "max_client_conn": "100",
      "server_reset_query_always": "0",
    ]
    let section = defaults.merging(settings) { $1 }.sorted { $0.key < $1.key }.map { "\($0) = \($1)" }
    let text = """
      [databases]
      * = host=\(cluster.folder.path) port=\(cluster.port)
      [pgbouncer]
      \(section.joined(separator: "\n"))

      """
    let list = (users + ["postgres"]).map { "\"\($0)\" \"\"\n" }.joined()
    try folder.write(list, to: "users", permissions: 0o644)
    let file = try folder.write(text, to: "pgbouncer.ini", permissions: 0o644)
    let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let program else { throw TestHostError("no pgbouncer: apt-get install pgbouncer") }
    let command = PostgresPrograms.asServer(program, [file])
    process = try ChildProcess(command.executable, command.arguments)
    let socket = folder.path(".s.PGSQL.\(Self.port)")
    let isUp = await eventually(within: .seconds(20)) {
      process.end != nil || FileManager.default.fileExists(atPath: socket)
    }
    guard isUp, process.end == nil else {
      throw TestHostError("PgBouncer did not start: \(process.standardError.suffix(2000))")
    }
  }

  /// A conninfo through it.
  public func conninfo(database: String, user: String = "postgres") -> String {
    "host=\(folder.path) port=\(Self.port) dbname=\(database) user=\(user)"
  }

  /// Runs SQL through it as a client of its own, and leaves what the session was set to.
  public func execute(_ sql: String, database: String, user: String = "postgres") async throws {
    let psql = try PostgresPrograms().path("psql")
    let arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database: database, user: user), "-f", "-"]
    let result = try await ChildProcess.run(psql, arguments, input: sql + "\n", within: .seconds(30))
    guard result.end == .exited(0) else { throw TestHostError("psql: \(result.errors)") }
  }

  /// Ends it.
  public func stop() async throws {
    process.signal(SIGKILL)
    try await process.wait()
  }
}
