private import Foundation
private import Glibc

/// Tells if standard error is connected with the journal (systemd.exec(5), JOURNAL_STREAM).
public enum JournalStream {
  /// True where standard error itself, and not only some other descriptor, goes to the journal.
  public static var isStandardError: Bool {
    contains(descriptor: 2, environment: ProcessInfo.processInfo.environment)
  }

  /// The variable is inherited by programs whose output was redirected, so the device and inode decide.
  static func contains(descriptor: Int32, environment: [String: String]) -> Bool {
    guard let parts = environment["JOURNAL_STREAM"]?.split(separator: ":", omittingEmptySubsequences: false),
      parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1])
    else { return false }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return false }
    return status.st_dev == device && status.st_ino == inode
  }
}
