internal import CLibpq
import Glibc

/// An eventfd(2): wakes a thread that waits in poll(2).
final class EventDescriptor: Sendable {
  let descriptor: Int32

  init() throws {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard descriptor >= 0 else { throw PostgresError(message: "no eventfd: errno \(errno)", kind: .other) }
  }

  /// Makes the descriptor readable.
  func signal() { eventfd_write(descriptor, 1) }

  /// Makes it unreadable again.
  func drain() {
    var value: eventfd_t = 0
    unsafe _ = eventfd_read(descriptor, &value)
  }

  deinit { close(descriptor) }
}
