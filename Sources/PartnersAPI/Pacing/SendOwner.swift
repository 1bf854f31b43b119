import Conversions
import Glibc

/// The process that holds a permit. Its number alone doesn't tell it: each container has numbers of its own, in which
/// each daemon is process 1, and on a host numbers are given out again. (Another boot's sends don't come here:
/// `PacerRecord`.)
struct SendOwner: Sendable, Equatable {
  /// This process.
  static let current = SendOwner(process: getpid(), beganAt: beginning(of: getpid()), namespace: namespace())

  /// The number of the process.
  let process: Int32
  /// The time at which it began, in the kernel's ticks since the boot (proc_pid_stat(5), field 22); nil if /proc
  /// doesn't tell.
  let beganAt: UInt64?
  /// The inode of the namespace that its number is of (pid_namespaces(7)); nil where /proc doesn't tell.
  let namespace: UInt64?

  /// Returns a send of this process.
  func send(_ number: UInt64, at sentAt: Duration) -> PacedSend {
    PacedSend(number: number, owner: process, ownerBeganAt: beganAt, ownerNamespace: namespace, sentAt: sentAt)
  }

  /// True if the process that let a send through has ended, as far as this one can tell. In another namespace its
  /// number is another process's here: it counts as alive until its permit's lease is over.
  func isGone(_ send: PacedSend) -> Bool {
    guard let namespace, send.ownerNamespace == namespace else { return false }
    // Compares with what this process knows of itself, all of which it records with a send.
    if send.owner == process { return send.ownerBeganAt != beganAt }
    // Counts EPERM as alive: the process is of another user.
    guard kill(send.owner, 0) == 0 || errno != ESRCH else { return true }
    // Takes a process that /proc hides (hidepid) for the one that sent it.
    guard let recorded = send.ownerBeganAt, let found = Self.beginning(of: send.owner) else { return false }
    return recorded != found
  }

  private static func namespace() -> UInt64? {
    var status = stat()
    guard unsafe stat("/proc/self/ns/pid", &status) == 0 else { return nil }
    return UInt64(status.st_ino)
  }

  private static func beginning(of process: Int32) -> UInt64? {
    let descriptor = unsafe open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    // Skips the program's name, in parentheses, which may hold anything; the third field follows it.
    guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = String(decoding: bytes[(end + 1)..<count], as: UTF8.self).split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }
}
