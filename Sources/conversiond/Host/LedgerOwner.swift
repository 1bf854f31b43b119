import Foundation
import Glibc
import Systemd

/// Lets a command that root runs go on as the ledger's owner: so that no file of root's is left beside it, which the
/// daemon could not open, and so that peer authentication at PostgreSQL is the daemon's.
enum LedgerOwner {
  /// Does nothing where we aren't root, or where the ledger is root's own. The owner of a ledger that is yet to be made
  /// is its folder's.
  static func become(ofLedgerAt path: String) throws {
    guard geteuid() == 0 else { return }
    var status = stat()
    let folder = (path as NSString).deletingLastPathComponent
    guard unsafe stat(path, &status) == 0 || stat(folder, &status) == 0, status.st_uid != 0 else { return }
    // In this order: once the user is given up, the groups can't be changed any more; root's setuid(2) gives up
    // the real and the saved user as well.
    guard setgroups(0, nil) == 0, setgid(status.st_gid) == 0, setuid(status.st_uid) == 0
    else {
      throw CommandFailure(.permission, "cannot become the ledger's owner, user \(status.st_uid)")
    }
    CoreDumps.forbid()
  }

  /// Runs `body` as the ledger's owner, and goes on as before.
  static func acting<Value>(ofLedgerAt path: String, _ body: () throws -> Value) throws -> Value {
    var status = stat()
    guard geteuid() == 0, unsafe stat(path, &status) == 0, status.st_uid != 0 else { return try body() }
    guard setegid(status.st_gid) == 0, seteuid(status.st_uid) == 0 else {
      throw CommandFailure(.permission, "cannot act as the ledger's owner, user \(status.st_uid)")
    }
    CoreDumps.forbid()
    defer {
      seteuid(0)
      setegid(0)
    }
    return try body()
  }
}
