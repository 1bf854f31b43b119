import BlockingIO
import Conversions
import Glibc

/// Files that are copied, moved and made durable, one system call after the other.
enum DurableFiles {
  /// Writes a new file beside its place, and puts it there once it is on the disk.
  static func write(_ bytes: [UInt8], to path: String) throws(LedgerFailure) {
    do throws(FileError) { try SyncedFile.write(bytes, to: path) } catch { throw LedgerFailure(error) }
  }

  /// Moves a file to a name that nothing has. The holder of the ledger's lock is alone in making such names.
  ///
  /// - Returns: False where there is no such file.
  static func move(_ path: String, to target: String) throws(LedgerFailure) -> Bool {
    guard unsafe access(target, F_OK) != 0 else { throw LedgerFailure(.other, "\(target) is there already") }
    if unsafe rename(path, target) == 0 { return true }
    guard errno == ENOENT else { throw LedgerFailure(fileError: errno, doing: "move \(path) to", target) }
    return false
  }

  /// Puts a file in the place of another, or of none.
  static func replace(_ target: String, with path: String) throws(LedgerFailure) {
    guard unsafe rename(path, target) == 0 else {
      throw LedgerFailure(fileError: errno, doing: "move \(path) to", target)
    }
    try syncFolder(of: target)
  }

  static func syncFolder(of path: String) throws(LedgerFailure) {
    do throws(FileError) { try SyncedFile.syncFolder(of: path) } catch { throw LedgerFailure(error) }
  }

  /// Copies a file block by block, with zeroes where the disk can't read it; false where there is no such file.
  static func copy(_ path: String, to target: String) throws(LedgerFailure) -> Bool {
    guard let source = try reading(path) else { return false }
    defer { close(source) }
    try copy(source, named: path, to: target)
    return true
  }

  /// Opens a file for reading; nil where there is no such file.
  static func reading(_ path: String) throws(LedgerFailure) -> Int32? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0, errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw LedgerFailure(fileError: errno, doing: "open", path) }
    return descriptor
  }

  /// Copies an open file block by block, with zeroes where the disk can't read it.
  static func copy(_ source: Int32, named path: String, to target: String) throws(LedgerFailure) {
    let copy = unsafe open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard copy >= 0 else { throw LedgerFailure(fileError: errno, doing: "write", target) }
    defer { close(copy) }
    var status = stat()
    guard unsafe fstat(source, &status) == 0 else { throw LedgerFailure(fileError: errno, doing: "read", path) }
    var (offset, size) = (0, Int(status.st_size))
    while offset < size {
      let (bytes, end) = piece(of: source, at: offset, size: size)
      try put(bytes, at: offset, copy, target)
      offset += bytes.count
      if end { size = offset }
    }
  }

  private static let blockSize = 4096

  private static func piece(of descriptor: Int32, at offset: Int, size: Int) -> (bytes: [UInt8], isEnd: Bool) {
    for length in [1 << 20, blockSize] {
      var bytes = [UInt8](repeating: 0, count: min(length, size - offset))
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
      }
      if count > 0 { return (Array(bytes[..<count]), false) }
      if count == 0 { return ([], true) }
    }
    return ([UInt8](repeating: 0, count: min(blockSize, size - offset)), false)
  }

  static func put(
    _ bytes: [UInt8], at offset: Int, _ descriptor: Int32, _ path: String
  ) throws(LedgerFailure) {
    do throws(FileError) { try SyncedFile.put(bytes, at: offset, descriptor, path) } catch {
      throw LedgerFailure(error)
    }
  }
}

extension LedgerFailure {
  /// A failure of a system call on a file.
  fileprivate init(_ error: FileError) { self.init(fileError: error.code, doing: error.action, error.path) }
}
