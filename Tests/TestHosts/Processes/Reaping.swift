import Foundation
import Synchronization

/// Waits for a child's end on a thread of its own. A signal is sent only while the child is not reaped, so that it
/// never meets another process that got the same number.
final class Reaping: Sendable {
  private let pid: pid_t
  private let ended = Mutex<ChildProcess.End?>(nil)

  init(_ pid: pid_t) { self.pid = pid }

  /// The child's end; nil while it runs.
  var end: ChildProcess.End? { ended.withLock { $0 } }

  /// Starts to wait.
  func begin() {
    Thread.detachNewThread { [self] in
      var information = unsafe siginfo_t()
      // WNOWAIT leaves the child a zombie, and its number taken, until the lock is held.
      while unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      ended.withLock { end in
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // wait(2): the low seven bits are the signal, the next byte is the exit code.
        let number = status & 0x7f
        end = number == 0 ? .exited((status >> 8) & 0xff) : .signalled(number)
        Watchdog.shared?.forget(pid)
      }
    }
  }

  /// Sends a signal to the child, or to all of its process group.
  func signal(_ number: Int32, group: Bool) {
    ended.withLock { end in
      if end == nil { kill(group ? -pid : pid, number) }
    }
  }
}
