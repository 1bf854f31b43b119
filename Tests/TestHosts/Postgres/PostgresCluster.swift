import Foundation
import Synchronization

/// A PostgreSQL server of the tests' own: initialised in a temporary folder, with its socket there, and no TCP unless
/// asked for. Stopped and removed when the last reference goes, or by the watchdog when the process ends in any way.
public final class PostgresCluster: Sendable {
  /// The cluster that this process's tests share, started at first use. Give each test a database of its own; start
  /// another cluster to restart, stop or reconfigure one.
  public static func shared() async throws -> PostgresCluster { try await sharedStart.value }
  private static let sharedStart = Task { try await PostgresCluster.start() }

  /// The folder with the socket, the data and the log.
  public let folder: TemporaryFolder
  /// The port: part of the socket's name, and the TCP port where the cluster listens.
  public let port: Int
  /// True if it listens on 127.0.0.1, too.
  public let listensOnLoopback: Bool
  let programs: PostgresPrograms
  let settings: [String: String]
  private let server = Mutex<ChildProcess?>(nil)
  private let databaseCount = Mutex(0)
  /// Hundreds of tests start at once; so many psql processes and CREATE DATABASEs would only slow each other down.
  let gate = Gate(8)

  /// Initialises and starts a cluster.
  ///
  /// - Parameters:
  ///   - settings: Server settings over the defaults of a test (`fsync=off` among them).
  ///   - listensOnLoopback: True to listen on 127.0.0.1, too, on `port`.
  /// - Returns: The cluster, which takes connections.
  /// - Throws: `TestHostError` with the end of the server's log.
  public static func start(
    settings: [String: String] = [:], listensOnLoopback: Bool = false
  ) async throws -> PostgresCluster {
    let cluster = try PostgresCluster(settings: settings, listensOnLoopback: listensOnLoopback)
    try await cluster.initialise()
    try await cluster.start()
    return cluster
  }

  init(settings: [String: String], listensOnLoopback: Bool) throws {
    programs = try PostgresPrograms()
    folder = try TemporaryFolder("pg")
    port = try listensOnLoopback ? Self.freePort() : 5432
    self.listensOnLoopback = listensOnLoopback
    let defaults = [
      "fsync": "off", "full_page_writes": "off", "wal_level": "replica",
      "max_wal_senders": "4", "max_prepared_transactions": "8", "max_connections": "400",
      "shared_buffers": "64MB", "autovacuum": "off", "jit": "off", "logging_collector": "off",
      "log_line_prefix": "%m [%p] %q%u@%d ", "unix_socket_permissions": "0777",
    ]
    self.settings = defaults.merging(settings) { $1 }
  }

  /// The data directory.
  public var data: String { folder.path("data") }
  private var log: String { folder.path("log") }

  private func initialise() async throws {
    try programs.handOver(folder.path)
    try await run(
      "initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
  }

  /// Starts the server and waits until it takes connections.
  public func start() async throws {
    var arguments = ["-D", data, "-k", folder.path, "-p", String(port)]
    arguments += ["-c", "listen_addresses=\(listensOnLoopback ? "127.0.0.1" : "")"]
    for (name, value) in settings { arguments += ["-c", "\(name)=\(value)"] }
    let command = programs.command("postgres", arguments)
    let process = try ChildProcess(command.executable, command.arguments)
    server.withLock { $0 = process }
    // postmaster.pid: line 1 the process ID, line 8 the state (PostgreSQL's source, utils/pidfile.h).
    let ready = await eventually(within: .seconds(60)) { process.end != nil || isReady(process.pid) }
    guard ready, process.end == nil else {
      throw TestHostError("PostgreSQL did not start: \(process.standardError.suffix(2000))")
    }
  }

  private func isReady(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8) else { return false }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.count > 7 && lines[0] == "\(pid)" && lines[7].hasPrefix("ready")
  }

  /// The ways in which a server is stopped.
  public enum StopMode: Sendable {
    /// Sessions are cut and their transactions rolled back (SIGINT).
    case fast
    /// As in a crash: recovery at the next start (SIGQUIT).
    case immediate
  }

  /// Stops the server and waits for its end.
  public func stop(_ mode: StopMode = .fast) async throws {
    guard let process = server.withLock({ $0 }) else { return }
    process.signal(mode == .fast ? SIGINT : SIGQUIT)
    try await process.wait(within: .seconds(30))
    server.withLock { $0 = nil }
  }

  /// Stops and starts the server.
  public func restart(_ mode: StopMode = .fast) async throws {
    try await stop(mode)
    try await start()
  }

  /// The server's log lines since its last start.
  public var serverLog: String { server.withLock { $0?.standardError } ?? "" }

  /// The server's process ID; nil while it is stopped. For SIGSTOP and the like.
  public var serverPID: Int32? { server.withLock { $0?.pid } }

  /// A conninfo over the cluster's socket.
  public func conninfo(database: String = "postgres", user: String = "postgres") -> String {
    "host=\(folder.path) port=\(port) dbname=\(database) user=\(user)"
  }

  /// Makes a database of a test's own: UTF-8, or in an encoding such as `LATIN1` or `SQL_ASCII` with the locale C, or
  /// as a copy of a template, to which there may be no connection.
  public func createDatabase(encoding: String? = nil, template: String? = nil) async throws -> TestDatabase {
    let number = databaseCount.withLock { count in
      count += 1
      return count
    }
    let name = "test\(number)"
    var sql = "CREATE DATABASE \(name)"
    if let encoding {
      sql += " TEMPLATE template0 ENCODING '\(encoding)' LC_COLLATE 'C' LC_CTYPE 'C'"
    } else if let template {
      sql += " TEMPLATE \(template)"
    }
    try await database("postgres").execute(sql)
    return database(name)
  }

  /// Makes a schema of a test's own in the database `postgres`, first in the search path of every session: a quarter of
  /// a database's price, for tests that need no more.
  public func createSchema() async throws -> TestDatabase {
    let number = databaseCount.withLock { count in
      count += 1
      return count
    }
    try await database("postgres").execute("CREATE SCHEMA test\(number)")
    return database("postgres", schema: "test\(number)")
  }

  /// A database that exists, or a schema in it.
  public func database(_ name: String, schema: String? = nil) -> TestDatabase {
    TestDatabase(name: name, schema: schema, cluster: self, psql: programs.path("psql"))
  }

  /// Finds a port on which no program listens just now.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
    guard result else { throw TestHostError("no free port: errno \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  deinit {
    // Immediate shutdown; the folder goes with its own deinit, and once more by the watchdog.
    guard let process = server.withLock({ $0 }) else { return }
    process.signal(SIGQUIT)
    let deadline = ContinuousClock.now + .seconds(5)
    while process.end == nil, ContinuousClock.now < deadline { usleep(5000) }
  }
}
