import Foundation

/// Copies of a cluster: standbys, and data directories that are put back.
extension PostgresCluster {
  /// Runs one of PostgreSQL's programs (`pg_resetwal`, `pg_dump` ...) as the user that the server runs as.
  ///
  /// - Returns: Its standard output.
  /// - Throws: `TestHostError` with its message where it fails.
  @discardableResult
  public func run(_ program: String, _ arguments: [String]) async throws -> String {
    let command = programs.command(program, arguments)
    let result = try await ChildProcess.run(command.executable, command.arguments)
    guard result.end == .exited(0) else { throw TestHostError("\(program): \(result.errors)\(result.output)") }
    return result.output
  }

  /// Copies this running cluster and starts the copy as a hot standby, which streams from it over its socket.
  ///
  /// A replication slot keeps the WAL that the standby still needs while either of the two is stopped. The standby has
  /// this cluster's settings, as hot standby asks for at least the primary's `max_connections` and
  /// `max_prepared_transactions` (PostgreSQL manual, 27.4.3), and a folder of its own.
  ///
  /// - Parameter slot: The name of the replication slot, one for each standby.
  /// - Returns: The standby, which takes connections that only read.
  /// - Throws: `TestHostError` with what pg_basebackup(1), or the end of the server's log, says.
  public func startStandby(slot: String = "standby") async throws -> PostgresCluster {
    let standby = try PostgresCluster(settings: settings, listensOnLoopback: false)
    try programs.handOver(standby.folder.path)
    try await run(
      "pg_basebackup",
      [
        "-D", standby.data, "-d", conninfo(), "-X", "stream", "-c", "fast", "--write-recovery-conf", "--create-slot",
        "--slot=\(slot)", "--no-sync",
      ])
    try await standby.start()
    return standby
  }

  /// Copies the stopped cluster's data directory aside.
  public func keepData() async throws { try await replace(folder.path("kept"), by: data) }

  /// Puts the stopped cluster's kept data directory back.
  public func restoreData() async throws { try await replace(data, by: folder.path("kept")) }

  /// Makes a file of zeros in the stopped cluster's data directory.
  public func writeZeros(_ count: Int, to name: String) throws {
    let path = "\(data)/\(name)"
    try Data(count: count).write(to: URL(fileURLWithPath: path))
    try programs.handOver(path)
  }

  private func replace(_ target: String, by source: String) async throws {
    try? FileManager.default.removeItem(atPath: target)
    let result = try await ChildProcess.run("cp", ["-a", source, target])
    guard result.end == .exited(0) else { throw TestHostError("cp: \(result.errors)") }
  }
}
