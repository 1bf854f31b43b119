import Conversions
import Synchronization

/// A bounded number of connections; requests wait for one, first come, first served.
final class HTTPConnectionPool: Sendable {
  private let options: HTTPOptions
  private let turns: TurnQueue
  private let idle = Mutex<[HTTPConnection]>([])

  /// A pool of at most `connectionsMax`, each opened when it is first needed.
  init(_ options: HTTPOptions, connectionsMax: Int) {
    self.options = options
    turns = TurnQueue(count: connectionsMax)
  }

  /// Sends a request on the connection that was used last, which is the likeliest to be alive.
  func send(_ request: HTTPRequest) async -> Result<HTTPAnswer, TransportFailure> {
    do {
      try await turns.acquire()
    } catch {
      return .failure(TransportFailure(kind: .cancelled, message: "cancelled", mayHaveBeenDone: false))
    }
    defer { turns.release() }
    let connection = idle.withLock { $0.popLast() } ?? HTTPConnection(options)
    let result = await connection.send(request)
    idle.withLock { $0.append(connection) }
    return result
  }
}
