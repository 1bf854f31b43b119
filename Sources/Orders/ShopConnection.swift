import Postgres

/// One of the few connections to the shop's database: made at first use, made anew after it was lost, and made only
/// once however many ask at the same time.
actor ShopConnection {
  private let conninfo: String
  private var connection: PostgresConnection?
  private var attempt: Task<PostgresConnection, any Error>?

  init(_ conninfo: String) { self.conninfo = conninfo }

  /// Runs work on the connection; once more on a new one where the old one turns out to be lost, as after a restart of
  /// the server or of a pooler while nothing was asked. Only for reads, which may be repeated.
  func read<Result>(_ work: (PostgresConnection) async throws -> Result) async throws -> Result {
    let wasOpen = connection != nil
    do {
      return try await work(try await usable())
    } catch let error as PostgresError where wasOpen && error.isConnectionLost {
      return try await work(try await usable())
    }
  }

  /// The connection, once there is one.
  private func usable() async throws -> PostgresConnection {
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
