import Conversions
import Foundation
import Glibc
import Synchronization

/// A TCP server on loopback whose every byte is scripted: one thread a connection, all of them gone after `stop`.
final class StubServer: Sendable {
  private struct State {
    var listener: Int32?
    var connections: Set<Int32> = []
    var accepts = 0
    var requests: [String] = []
    var isStopped = false
  }

  let port: Int
  private let state: Mutex<State>

  /// Begins to serve; the script is run once a connection, which ends with it.
  init(_ script: @escaping @Sendable (StubConnection) -> Void) throws {
    let (listener, port) = try Self.listen()
    self.port = port
    state = Mutex(State(listener: listener))
    Thread.detachNewThread { self.accept(listener, script) }
  }

  var baseURL: PartnersBaseURL? { try? PartnersBaseURL("http://127.0.0.1:\(port)/api/v1/partners") }

  /// The number of connections so far.
  var accepts: Int { state.withLock { $0.accepts } }

  /// The requests, as they came.
  var requests: [String] { state.withLock { $0.requests } }

  func note(_ request: String) { state.withLock { $0.requests.append(request) } }

  /// Lets no new connection in. On Linux, shutting down a listening socket refuses and wakes its accept.
  func closeListener() {
    state.withLock { state in
      if let listener = state.listener { shutdown(listener, Int32(SHUT_RDWR)) }
    }
  }

  /// Ends all.
  func stop() {
    state.withLock { state in
      state.isStopped = true
      if let listener = state.listener { shutdown(listener, Int32(SHUT_RDWR)) }
      for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func accept(_ listener: Int32, _ script: @escaping @Sendable (StubConnection) -> Void) {
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0 else { break }
      let number: Int? = state.withLock { state in
        guard !state.isStopped else { return nil }
        state.accepts += 1
        state.connections.insert(descriptor)
        return state.accepts
      }
      guard let number else {
        close(descriptor)
        break
      }
      Thread.detachNewThread {
        script(StubConnection(descriptor: descriptor, number: number, server: self))
        self.state.withLock { state in
          state.connections.remove(descriptor)
          close(descriptor)
        }
      }
    }
    state.withLock { state in
      close(listener)
      state.listener = nil
    }
  }

  private static func listen() throws -> (Int32, Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(listener, pointer, length) == 0 && Glibc.listen(listener, 16) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
  }
}
