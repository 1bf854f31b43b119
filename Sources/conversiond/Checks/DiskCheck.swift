import Foundation
import Glibc

/// The room and the rights that the ledger needs in its folder, also while the daemon runs: a start fails on a full or
/// read-only disk, and a running daemon reads and sends nothing.
struct DiskCheck {
  /// The least room: a ledger that can't grow by so much is about to stop everything.
  private static let bytesMin: UInt64 = 8 << 20
  /// The room below which an operator is warned.
  private static let bytesEnough: UInt64 = 256 << 20

  /// The bytes of the test write: four pages.
  private static let trialSize = 16 << 10
  private static let adviceForRoom =
    "make room there (df and du say what takes it): until then nothing is read, sent or remembered, and nothing is lost"

  let ledgerPath: String

  var lines: [CheckLine] {
    let folder = (ledgerPath as NSString).deletingLastPathComponent
    var status = statvfs()
    // The ledger's line tells of a folder that is missing.
    guard unsafe statvfs(folder, &status) == 0 else { return [] }
    if status.f_flag & UInt(ST_RDONLY) != 0 {
      return [
        CheckLine(
          .fail, "disk", "\(folder) is read-only", advice: "see the kernel's log: a disk that fails is remounted so")
      ]
    }
    let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    let words = "\(free >> 20) MiB are free in \(folder)"
    if free < Self.bytesMin || status.f_files > 0 && status.f_favail == 0 {
      let what = free < Self.bytesMin ? words : "no more files can be made in \(folder)"
      return [CheckLine(.fail, "disk", what, advice: Self.adviceForRoom)]
    }
    if let failure = Self.trialWrite(in: folder) { return [failure] }
    return [CheckLine(free < Self.bytesEnough ? .warn : .ok, "disk", "\(words), and a test write reached the disk")]
  }

  /// Writes a small file, syncs and removes it; nil where that works.
  private static func trialWrite(in folder: String) -> CheckLine? {
    let path = "\(folder)/.conversiond-check-\(getpid())"
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return failure("make a file in \(folder)") }
    defer { close(descriptor) }
    // Before the first byte, so that a check that is killed leaves nothing behind.
    _ = unsafe unlink(path)
    let bytes = [UInt8](repeating: 0, count: trialSize)
    guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else { return failure("write to \(folder)") }
    guard fsync(descriptor) == 0 else { return failure("sync a file in \(folder)") }
    return nil
  }

  /// The line for the call that has just failed.
  private static func failure(_ action: String) -> CheckLine {
    let code = errno
    let words = unsafe String(cString: strerror(code))
    let advice =
      switch code {
      case ENOSPC, EDQUOT, EFBIG, 0: adviceForRoom
      case EACCES, EPERM: "chown it to the daemon's user, mode 0700"
      default: "see the kernel's log for a disk that fails: journalctl -k"
      }
    return CheckLine(.fail, "disk", "cannot \(action): \(words)", advice: advice)
  }
}
