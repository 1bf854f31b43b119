import BlockingIO
import Conversions
import Glibc

/// A small file that several processes read and write, one at a time: each access opens it, takes its lock (flock(2)),
/// reads all of it, and may write all of it.
///
/// Blocks: for a thread that may wait.
struct LockedFile {
  /// The longest time that another process may hold the lock before the access fails. A healthy one holds it for a
  /// millisecond.
  static let lockWaitMax = Duration.seconds(5)

  /// The file's path.
  let path: String

  /// Reads the file and writes what `change` makes of it; nil leaves it as it is. `change` is given nil for a file that
  /// was not there before.
  ///
  /// - Throws: `PacingFailure` with the path and the system's words.
  func access<Result>(
    bytesMax: Int, _ change: (_ bytes: [UInt8]?) throws -> (result: Result, bytes: [UInt8]?)
  ) throws -> Result {
    let (descriptor, isNew) = try openLocked()
    // Gives the lock back, too.
    defer { close(descriptor) }
    let found = try read(descriptor, bytesMax: bytesMax)
    // Counts a file that we made as new only while it is empty: another process may have written it before we had the
    // lock.
    let (result, bytes) = try change(isNew && found.isEmpty ? nil : found)
    if let bytes { try write(bytes, to: descriptor) }
    return result
  }

  /// Opens and locks until the file that is locked is the one at the path: it may have been replaced in between.
  private func openLocked() throws -> (descriptor: Int32, isNew: Bool) {
    for _ in 0..<100 {
      let (descriptor, isNew) = try openFile()
      do {
        try lock(descriptor)
      } catch {
        close(descriptor)
        throw error
      }
      if isAtPath(descriptor) { return (descriptor, isNew) }
      close(descriptor)
    }
    throw PacingFailure("\(path): replaced again and again while it was being locked")
  }

  private func openFile() throws -> (descriptor: Int32, isNew: Bool) {
    for _ in 0..<100 {
      let existing = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
      if existing >= 0 { return (existing, false) }
      guard errno == ENOENT else { throw failure("open") }
      let created = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      if created >= 0 { return (created, true) }
      guard errno == EEXIST else { throw failure("create") }
    }
    throw PacingFailure("\(path): comes and goes")
  }

  private func lock(_ descriptor: Int32) throws {
    let start = ContinuousClock.now
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw failure("lock") }
      guard ContinuousClock.now - start < Self.lockWaitMax else {
        throw PacingFailure("\(path): locked by another process for more than \(Self.lockWaitMax)")
      }
      usleep(2000)
    }
  }

  private func isAtPath(_ descriptor: Int32) -> Bool {
    var (mine, theirs) = (stat(), stat())
    guard unsafe fstat(descriptor, &mine) == 0, unsafe lstat(path, &theirs) == 0 else { return false }
    return mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev
  }

  /// Reads all of the file; one that is longer than `bytesMax` is none of ours and reads as empty.
  private func read(_ descriptor: Int32, bytesMax: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= bytesMax {
      let count = unsafe pread(descriptor, &chunk, chunk.count, bytes.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read") }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
    return []
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    do throws(FileError) {
      try SyncedFile.put(bytes, at: 0, descriptor, path)
    } catch {
      throw PacingFailure("\(path): can't \(error.action): \(error.words)")
    }
    guard ftruncate(descriptor, bytes.count) == 0 else { throw failure("truncate") }
  }

  private func failure(_ action: String) -> PacingFailure {
    let code = errno
    return PacingFailure("\(path): can't \(action): \(unsafe String(cString: strerror(code)))")
  }
}
