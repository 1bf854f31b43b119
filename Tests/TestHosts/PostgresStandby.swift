extension PostgresCluster {
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
    let copy = programs.command(
      "pg_basebackup",
      [
        "-D", standby.data, "-d", conninfo(), "-X", "stream", "-c", "fast", "--write-recovery-conf", "--create-slot",
        "--slot=\(slot)", "--no-sync",
      ])
    let result = try await ChildProcess.run(copy.executable, copy.arguments)
    guard result.end == .exited(0) else { throw TestHostError("pg_basebackup: \(result.errors)\(result.output)") }
    try await standby.start()
    return standby
  }
}
