public import Conversions
import Foundation
import Glibc

/// A backup that is open for reading: a command that root runs opens it before it becomes the ledger's owner, who may
/// not read it. Beside a ledger's file that was copied while it was in use lies its log.
public final class BackupSource {
  /// The path of the file.
  public let path: String
  private let file: Int32
  private let log: Int32?

  /// Opens a backup.
  ///
  /// - Throws: `LedgerFailure`; `noFolder` where there is no such file.
  public init(path: String) throws(LedgerFailure) {
    self.path = path
    guard let file = try DurableFiles.reading(path) else { throw LedgerFailure(.noFolder, "there is no file \(path)") }
    self.file = file
    do throws(LedgerFailure) {
      var status = stat()
      guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw LedgerFailure(.damaged, "\(path) is no ledger of conversiond")
      }
      log = try DurableFiles.reading(path + "-wal")
    } catch {
      close(file)
      throw error
    }
  }

  deinit {
    close(file)
    if let log { close(log) }
  }

  /// Copies the backup, with its log.
  func copy(to target: String) throws(LedgerFailure) {
    try DurableFiles.copy(file, named: path, to: target)
    if let log { try DurableFiles.copy(log, named: path + "-wal", to: target + "-wal") }
  }
}
