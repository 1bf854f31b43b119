import Conversions
import Glibc

/// The right of one process to a ledger, kept as long as this lives: an flock(2) on a file of its own beside it.
///
/// Not on the ledger itself: closing any descriptor of a file drops SQLite's own POSIX locks on it (SQLite, How To
/// Corrupt An SQLite Database File, 2.2). The kernel lets go of it however the process ends.
final class LedgerLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock or says that another process has it; never waits. The file is `path`, or lies beside the ledger.
  init(ledgerPath: String, path: String? = nil) throws(LedgerFailure) {
    let path = path ?? ledgerPath + ".lock"
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      if errno == ENOENT {
        throw LedgerFailure(.noFolder, "the folder of \(ledgerPath) is not there; make it, owned by the daemon's user")
      }
      throw LedgerFailure(fileError: errno, doing: "open", path)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      if code == EWOULDBLOCK {
        throw LedgerFailure(.locked, "\(ledgerPath) is in use by another conversiond; one ledger has one daemon")
      }
      throw LedgerFailure(fileError: code, doing: "lock", path)
    }
  }

  deinit {
    // Closing alone would leave it to a child that this process has just forked, until that executes something
    // (flock(2)).
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}

extension SQLiteLedger {
  /// Returns a number that of all processes only the one with this ledger's lock has: by the lock's file, which stays the
  /// same when the ledger is made anew. Random where there is no such file.
  public static func holderNumber(path: String) -> UInt64 {
    var status = stat()
    guard unsafe stat(path + ".lock", &status) == 0 else { return .random(in: .min ... .max) }
    var digest = ContentDigest()
    digest.combine("\(status.st_dev) \(status.st_ino)")
    return UInt64(bitPattern: digest.bits)
  }
}

extension LedgerFailure {
  /// A failure of a system call on a file, with the kind its errno stands for.
  init(fileError code: Int32, doing verb: String, _ path: String) {
    let words = unsafe String(cString: strerror(code))
    let kind: Kind =
      switch code {
      case EACCES, EPERM, EROFS, ELOOP: .permission
      case ENOSPC, EDQUOT: .diskFull
      case EIO: .io
      default: .other
      }
    self.init(kind, "cannot \(verb) \(path): \(words)")
  }
}
