internal import FlyingSocks
internal import Glibc

/// Accepts connections and serves each in a task of its own, so that none waits for another.
struct HTTPListener: Sendable {
  let host: String
  let port: UInt16
  private let socket: AsyncSocket

  /// Listens; throws where the address is taken or isn't one of this machine's.
  init(host: String, port: UInt16) async throws {
    let pool = try await SharedSocketPool.shared.pool()
    let name = host == "localhost" ? "127.0.0.1" : host
    let ip6 = name.contains(":")
    let socket = try Socket(domain: ip6 ? AF_INET6 : AF_INET, type: .stream)
    do {
      Self.closeOnExec(socket)
      try socket.setValue(true, for: .localAddressReuse)
      if ip6 {
        try socket.bind(to: .inet6(ip6: name, port: port))
      } else {
        try socket.bind(to: .inet(ip4: name, port: port))
      }
      self.socket = try AsyncSocket(socket: socket, pool: pool)
      self.host = ip6 ? "[\(name)]" : name
      self.port = try Self.port(of: socket)
    } catch {
      try? socket.close()
      throw error
    }
    try socket.listen(maxPendingConnection: 512)
  }

  /// Serves until the task is cancelled, then closes every connection.
  @concurrent
  func run(_ configuration: SandboxConfiguration, clock: SandboxClock, handler: @escaping HTTPConnection.Handler) async
  {
    let places = ConnectionPlaces(configuration.connectionsMax)
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        guard let client = await accept() else { continue }
        let connection = HTTPConnection(
          socket: client, address: Self.address(of: client.socket), bodyMax: configuration.bodyMax,
          idleTimeout: configuration.idleTimeout, clock: clock, handler: handler)
        group.addTask {
          guard places.take() else { return await connection.turnAway() }
          defer { places.leave() }
          await connection.run()
        }
      }
      group.cancelAll()
    }
    await SharedSocketPool.shared.close(socket)
  }

  /// The next connection; `nil` after a moment's rest where none could be taken, for want of descriptors say.
  private func accept() async -> AsyncSocket? {
    do {
      let client = try await socket.accept()
      Self.closeOnExec(client.socket)
      return client
    } catch {
      try? await Task.sleep(for: .milliseconds(20))
      return nil
    }
  }

  /// Programs that this process starts must not hold connections open.
  private static func closeOnExec(_ socket: Socket) {
    _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC)
  }

  /// The system's words for why listening failed.
  static func reason(_ error: any Error) -> String {
    if case .failed(_, _, let message) = error as? SocketError { return message }
    return String(describing: error)
  }

  private static func port(of socket: Socket) throws -> UInt16 {
    switch try socket.sockname() {
    case .ip4(_, let port), .ip6(_, let port): port
    case .unix: throw SocketError.unsupportedAddress
    }
  }

  private static func address(of socket: Socket) -> String {
    switch try? socket.remotePeer() {
    case .ip4(let address, _), .ip6(let address, _): address
    case .unix, nil: ""
    }
  }
}
