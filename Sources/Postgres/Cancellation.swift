internal import CLibpq
import Dispatch
import Synchronization

/// A request to cancel one call, raised on any thread and obeyed by the connection's own.
final class Cancellation: Sendable {
  private let isWanted = Atomic(false)
  private let wake: EventDescriptor

  init(wake: EventDescriptor) { self.wake = wake }

  /// True once the call is to end.
  var isRaised: Bool { isWanted.load(ordering: .acquiring) }

  /// Asks the call to end and wakes its thread.
  func raise() {
    isWanted.store(true, ordering: .releasing)
    wake.signal()
  }
}

/// Sends a cancel request to the server. PQcancel connects anew and blocks, so it has a thread of its own;
/// the connection sends nothing until it is over, as a late request would hit the next statement.
@safe final class CancelRequest: @unchecked Sendable {
  private static let queue = DispatchQueue(label: "postgres.cancel", attributes: .concurrent)
  private let pointer: OpaquePointer
  private let over = Atomic(false)
  private let wake: EventDescriptor

  /// Prepares a request; nil where libpq has no memory or no connection.
  init?(_ connection: ConnectionHandle, wake: EventDescriptor) {
    guard let pointer = unsafe PQgetCancel(connection.pointer) else { return nil }
    unsafe self.pointer = pointer
    self.wake = wake
  }

  /// True once the server has taken the request or refused it.
  var isOver: Bool { over.load(ordering: .acquiring) }

  /// Sends the request. PQcancel is safe on any thread (PostgreSQL manual, 34.7), and the closure keeps `self`.
  func send() {
    Self.queue.async { [self] in
      var message = [CChar](repeating: 0, count: 256)
      unsafe PQcancel(pointer, &message, Int32(message.count))
      over.store(true, ordering: .releasing)
      wake.signal()
    }
  }

  deinit { unsafe PQfreeCancel(pointer) }
}
