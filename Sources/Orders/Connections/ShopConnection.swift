import Postgres

/// One of the few connections to the shop's database: made at first use, made anew after it was lost, and made only
/// once however many ask at the same time.
actor ShopConnection {
  /// The longest that a new connection may leave its first question unanswered: in a pooler's queue it would wait for
  /// as long as others keep their sessions.
  static let answerMax = Duration.seconds(5)

  private let conninfo: String
  /// Called when no connection is to be had: true where one of ours was given up for it.
  private var makesRoom: (@Sendable () async -> Bool)?
  private var connection: PostgresConnection?
  private var attempt: Task<PostgresConnection, any Error>?

  init(_ conninfo: String) { self.conninfo = conninfo }

  /// Sets the way to give up another of our connections where this one is refused for their number.
  func askForRoom(_ makesRoom: @escaping @Sendable () async -> Bool) { self.makesRoom = makesRoom }

  /// Open and not known to be lost.
  var isOpen: Bool { connection?.isUsable ?? false }

  /// Makes the connection where there is none.
  func open() async throws { _ = try await usable() }

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
        if let refused = error as? PostgresError, refused.meansNoSlot, await makesRoom?() ?? false { continue }
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
    let task = Task { [conninfo] in
      let made = try await PostgresConnection.connect(to: conninfo)
      try await made.answers(within: Self.answerMax)
      return made
    }
    attempt = task
    return task
  }
}

extension PostgresConnection {
  /// Asks a new connection for an answer; closes it where none comes.
  ///
  /// - Throws: `PostgresError` 53300 after the limit, as of a server without a free slot; `CancellationError`.
  func answers(within limit: Duration) async throws {
    let probe = Task { try await query("SELECT 1") }
    let timer = Task {
      try await Task.sleep(for: limit)
      probe.cancel()
    }
    defer { timer.cancel() }
    do {
      _ = try await withTaskCancellationHandler {
        try await probe.value
      } onCancel: {
        probe.cancel()
      }
    } catch {
      close()
      guard error is CancellationError, !Task.isCancelled else { throw error }
      throw PostgresError(
        sqlState: .tooManyConnections,
        message: "connected, but not served within \(limit): a pooler without a free session",
        isConnectionLost: true)
    }
  }
}

extension PostgresError {
  /// True if refused for the number of connections: by the server, the role's limit, or a pooler. Of a refused
  /// connection libpq tells no SQLSTATE, so the message's words decide.
  var meansNoSlot: Bool {
    sqlState == .tooManyConnections
      || isConnectionLost
        && ["too many connections", "too many clients", "connection slots", "no more connections allowed"].contains {
          message.contains($0)
        }
  }
}
