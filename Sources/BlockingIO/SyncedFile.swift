import Glibc

/// A small file that is replaced as a whole: after a crash the old one is there or the new one, and never a half.
///
/// Blocks: for a thread that may wait.
public enum SyncedFile {
  /// Writes a new file beside the path, readable by its owner alone, and puts it in the path's place once it is on the
  /// disk. Syncs the folder, too: a crash could bring back the old file otherwise.
  ///
  /// - Throws: `FileError`; the path has its old file then, unless it is the folder's sync that failed.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let draft = path + ".new"
    // Removes what a crash has left, perhaps as a link to somewhere else.
    _ = unsafe unlink(draft)
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw FileError("write", draft) }
    defer { close(descriptor) }
    do throws(FileError) {
      try put(bytes, at: 0, descriptor, draft)
      guard fsync(descriptor) == 0 else { throw FileError("sync", draft) }
      guard unsafe rename(draft, path) == 0 else { throw FileError("write", path) }
    } catch {
      _ = unsafe unlink(draft)
      throw error
    }
    try syncFolder(of: path)
  }

  /// Syncs the folder of a path: from then on a crash undoes no creation, renaming or removal in it.
  ///
  /// - Throws: `FileError`.
  public static func syncFolder(of path: String) throws(FileError) {
    let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
    let folder = parent.isEmpty ? "/" : String(parent)
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError("sync", folder) }
  }

  /// Writes all bytes at an offset of an open file, in as many calls as it takes.
  ///
  /// - Parameters:
  ///   - bytes: The bytes.
  ///   - offset: The place of the first one.
  ///   - descriptor: The open file.
  ///   - path: Its path, for the error.
  /// - Throws: `FileError`.
  public static func put(
    _ bytes: [UInt8], at offset: Int, _ descriptor: Int32, _ path: String
  ) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe pwrite(descriptor, $0.baseAddress.map { unsafe $0 + done }, bytes.count - done, off_t(offset + done))
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw FileError("write", path) }
      done += written
    }
  }
}
