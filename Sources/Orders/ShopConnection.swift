import Postgres

/// One of the few connections to the shop's database: made at first use, made anew after it was lost, and made only
/// once however many ask at the same time.
actor ShopConnection {
  private let conninfo: String
  private var connection: PostgresConnection?
  private var attempt: Task<PostgresConnection, any Error>?

  init(_ conninfo: String) { self.conninfo = conninfo }

  /// The connection, once there is one.
  func usable() async throws -> PostgresConnection {
    while true {
      try Task.checkCancellation()
      if let connection, connection.isUsable { return connection }
      connection = nil
      let running = attempt ?? begin()
      do {
        let made = try await withTaskCancellationHandler {
          try await running.value
        } onCancel: {
          running.cancel()
        }
        if attempt == running { (attempt, connection) = (nil, made) }
      } catch {
        if attempt == running { attempt = nil }
        // Another caller that was cancelled took the attempt with it; ours goes on.
        if error is CancellationError, !Task.isCancelled { continue }
        throw error
      }
    }
  }

  /// Closes the connection.
  func close() async {
    attempt?.cancel()
    attempt = nil
    await connection?.close()
    connection = nil
  }

  private func begin() -> Task<PostgresConnection, any Error> {
    let task = Task { [conninfo] in try await PostgresConnection.connect(to: conninfo) }
    attempt = task
    return task
  }
}
