import Foundation
import Glibc

/// The room and the rights that the ledger needs in its folder: a start fails on a full or read-only disk.
struct DiskCheck {
  /// The least room: a ledger that can't grow by so much is about to stop everything.
  private static let bytesMin: UInt64 = 8 << 20
  /// The room below which an operator is warned.
  private static let bytesEnough: UInt64 = 256 << 20

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
      return [CheckLine(.fail, "disk", what, advice: "make room: until then nothing is read, sent or remembered")]
    }
    guard unsafe access(folder, W_OK) == 0 else {
      return [
        CheckLine(.fail, "disk", "\(folder) can't be written to", advice: "chown it to the daemon's user, mode 0700")
      ]
    }
    return [CheckLine(free < Self.bytesEnough ? .warn : .ok, "disk", words)]
  }
}
