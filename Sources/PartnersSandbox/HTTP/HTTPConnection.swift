internal import FlyingSocks
internal import Foundation
internal import Glibc

/// One client's connection: request after request until either side ends it.
struct HTTPConnection: Sendable {
  /// The function that answers requests.
  typealias Handler = @Sendable (SandboxRequest, _ address: String) async -> Reply

  let socket: AsyncSocket
  let address: String
  let bodyMax: Int
  let idleTimeout: Duration
  let clock: SandboxClock
  let handler: Handler

  /// Serves the connection to its end, and closes it.
  @concurrent
  func run() async {
    await serve()
    await SharedSocketPool.shared.close(socket)
  }

  private func serve() async {
    var reader = ConnectionReader(socket: socket, bodyMax: bodyMax)
    do {
      while !Task.isCancelled {
        let request: SandboxRequest
        (request, reader) = try await next(reader)
        let reply = await handler(request, address)
        try Task.checkCancellation()
        guard try await deliver(reply, to: request) else { return }
      }
    } catch ConnectionReader.Failure.refused(let failure) {
      await refuse(failure)
    } catch {
      // Ends without an answer: the client left, or the server stops.
    }
  }

  /// Returns the next request, unless the client takes longer than it may.
  private func next(_ reader: ConnectionReader) async throws -> (SandboxRequest, ConnectionReader) {
    try await withThrowingTaskGroup(of: (SandboxRequest, ConnectionReader)?.self) { group in
      group.addTask {
        var reader = reader
        let request = try await reader.next()
        return (request, reader)
      }
      group.addTask {
        try await Task.sleep(for: idleTimeout)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let result = first else { throw ConnectionReader.Failure.ended }
      return result
    }
  }

  /// Sends the reply; true if the connection is good for another request.
  private func deliver(_ reply: Reply, to request: SandboxRequest) async throws -> Bool {
    let bytes = reply.response.bytes(
      method: request.method, keepsAlive: request.keepsAlive, date: clock.now.wallMilliseconds)
    switch reply.delivery {
    case .whole:
      try await socket.write(Data(bytes))
      return request.keepsAlive || finish()
    case .hang:
      // Reads and drops all that the client still sends, so that its leaving is noticed.
      while true { _ = try await socket.read(atMost: 4096) }
    case .reset:
      // Sets a linger time of zero: the close that follows drops everything and resets the connection.
      try? socket.socket.setValue(linger(l_onoff: 1, l_linger: 0), for: LingerOption())
      return false
    case .truncated(let bodyBytes):
      let missing = max(1, reply.response.body.count - max(0, bodyBytes))
      try await socket.write(Data(bytes.dropLast(missing)))
      return finish()
    case .lost:
      return finish()
    case .padded(let count):
      try await socket.write(Data(bytes))
      try await pad(count)
      return request.keepsAlive || finish()
    case .trickled(let interval):
      for byte in bytes {
        try await socket.write(Data([byte]))
        try await Task.sleep(for: interval)
      }
      return request.keepsAlive || finish()
    }
  }

  /// Sends a JSON body of that many bytes, piece by piece: it may be larger than what is good to hold.
  private func pad(_ count: Int) async throws {
    let (opening, closing) = (Data("{\"padding\":\"".utf8), Data("\"}".utf8))
    let block = Data(repeating: UInt8(ascii: "x"), count: 1 << 16)
    try await socket.write(opening)
    var missing = count - opening.count - closing.count
    while missing > 0 {
      try await socket.write(block.prefix(missing))
      missing -= block.count
    }
    try await socket.write(closing)
  }

  /// Tells why a request was refused.
  private func refuse(_ failure: HTTPRequestHead.Failure) async {
    let error = APIError(
      status: failure.status, code: failure.status == 413 ? .validationError : .malformedRequest,
      message: "The request was refused: \(failure.reason)")
    let bytes = error.response.bytes(method: "", keepsAlive: false, date: clock.now.wallMilliseconds)
    if (try? await socket.write(Data(bytes))) != nil { await drain() }
  }

  /// Answers 503 at once: every place is taken.
  @concurrent
  func turnAway() async {
    let error = APIError(status: 503, code: .overloaded, message: "Too many connections")
    let bytes = error.response.bytes(method: "", keepsAlive: false, date: clock.now.wallMilliseconds)
    if (try? await socket.write(Data(bytes))) != nil { await drain() }
    await SharedSocketPool.shared.close(socket)
  }

  /// Ends the sending side. Always false: the connection ends.
  private func finish() -> Bool {
    _ = shutdown(socket.socket.file.rawValue, Int32(SHUT_WR))
    return false
  }

  /// Waits for the client to read the answer: a close while it still sends would reset the connection and lose the
  /// answer.
  private func drain() async {
    _ = finish()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        var drained = 0
        while drained < 8 << 20, let bytes = try? await socket.read(atMost: 4096) { drained += bytes.count }
      }
      group.addTask { try? await Task.sleep(for: .seconds(2)) }
      await group.next()
      group.cancelAll()
    }
  }
}
