import ArgumentParser
import Foundation

/// A backup's path, as an operator names it. Standard output and input are none: a backup is put in its place whole, and
/// looked through before it is taken.
struct BackupPath: ExpressibleByArgument {
  /// The absolute path; of a symbolic link, the path that it leads to.
  let path: String

  init?(argument: String) {
    guard !argument.isEmpty, argument != "-" else { return nil }
    path = URL(fileURLWithPath: argument).standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// Refuses the ledger itself, and the files beside it that are its own.
  ///
  /// - Throws: `CommandFailure` 64.
  func refuseLedger(at ledgerPath: String) throws {
    let own = ["", "-wal", "-shm", "-journal", ".lock", ".rebuilding"].map { ledgerPath + $0 }
    let isOwn = own.contains { $0 == path || Self.number(of: $0).map { $0 == Self.number(of: path) } ?? false }
    guard !isOwn else { throw CommandFailure(.usage, "\(path) is the ledger's own file; name another one") }
  }

  /// Refuses a place where no backup can be put.
  ///
  /// - Throws: `CommandFailure` 64.
  func refuseUnfitPlace() throws {
    guard let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType else {
      return
    }
    guard type != .typeDirectory else { throw CommandFailure(.usage, "\(path) is a folder; name a file in it") }
    guard type == .typeRegular else { throw CommandFailure(.usage, "\(path) is no regular file") }
    // SQLite would take it for the log of the new file.
    for suffix in ["-wal", "-journal"] where FileManager.default.fileExists(atPath: path + suffix) {
      throw CommandFailure(
        .usage, "\(path + suffix) lies beside \(path), which is a database with a log of its own; name another file")
    }
  }

  private static func number(of path: String) -> [UInt64]? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let device = attributes[.systemNumber] as? NSNumber, let file = attributes[.systemFileNumber] as? NSNumber
    else { return nil }
    return [device.uint64Value, file.uint64Value]
  }
}
