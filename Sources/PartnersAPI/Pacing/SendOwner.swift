import Conversions
import Glibc

/// The process that holds a permit. Its number alone doesn't tell it: in a container each daemon is process 1, and on a
/// host numbers are given out again.
struct SendOwner: Sendable, Equatable {
  /// This process.
  static let current = SendOwner(process: getpid(), beganAt: beginning(of: getpid()))

  /// Its number.
  let process: Int32
  /// When it began, in the kernel's ticks since the boot (proc_pid_stat(5), field 22); nil where /proc doesn't tell.
  let beganAt: UInt64?

  /// Whether the process that let a send through has ended.
  static func isGone(_ send: PacedSend) -> Bool {
    // What this process sends it signs with all that it knows of itself.
    if send.owner == current.process { return send.ownerBeganAt != current.beganAt }
    // One of another user is there (EPERM).
    guard kill(send.owner, 0) == 0 || errno != ESRCH else { return true }
    // What /proc hides (hidepid) is taken for the one who sent it.
    guard let recorded = send.ownerBeganAt, let found = beginning(of: send.owner) else { return false }
    return recorded != found
  }

  private static func beginning(of process: Int32) -> UInt64? {
    let descriptor = unsafe open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    // The program's name, in parentheses, may hold anything; the third field follows it.
    guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = String(decoding: bytes[(end + 1)..<count], as: UTF8.self).split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }
}
