public import Conversions
public import Foundation
import Glibc

/// The file of a backup that is being written: beside its place, under a name of its own, and put there whole or not at
/// all. For its owner alone, as it holds addresses.
public final class BackupFile {
  /// The place that it is for.
  public let path: String
  private let draft: String
  private let descriptor: Int32
  private var size = 0
  private var isInPlace = false

  /// Makes it, empty.
  ///
  /// - Throws: `LedgerFailure`: `noFolder` where its folder isn't there.
  public init(path: String) throws(LedgerFailure) {
    self.path = path
    var template = Array("\(path).XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR {
        throw LedgerFailure(.noFolder, "the folder of \(path) is not there; make it first")
      }
      throw LedgerFailure(fileError: errno, doing: "write", path)
    }
    draft = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    close(descriptor)
    if !isInPlace { unsafe unlink(draft) }
  }

  /// Writes the next bytes of a copy.
  ///
  /// - Throws: `LedgerFailure`.
  public func append(_ bytes: Data) throws(LedgerFailure) {
    try DurableFiles.put(Array(bytes), at: size, descriptor, path)
    size += bytes.count
  }

  /// Looks through all that was written, with SQLite's own check, and puts it in its place once it is on the disk.
  ///
  /// - Returns: Its content, and its size in bytes.
  /// - Throws: `LedgerFailure`; a file that was there stays then.
  public func finish() throws(LedgerFailure) -> (content: LedgerSummary, bytes: Int) {
    guard fsync(descriptor) == 0 else { throw LedgerFailure(fileError: errno, doing: "sync", path) }
    let content = try LedgerSummary(ofFile: draft, named: "the copy for \(path)")
    guard unsafe rename(draft, path) == 0 else { throw LedgerFailure(fileError: errno, doing: "write", path) }
    isInPlace = true
    try DurableFiles.syncFolder(of: path)
    return (content, size)
  }
}
