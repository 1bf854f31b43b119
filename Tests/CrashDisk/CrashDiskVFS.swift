import GRDBSQLite
import Glibc

/// The way to the disks in SQLite's words: a virtual file system (SQLite, The SQLite OS Interface or "VFS") that is the
/// process's default and hands on to the earlier default whatever is on no disk.
enum CrashDiskVFS {
  private static let isInstalled: Bool = {
    guard let earlier = unsafe sqlite3_vfs_find(nil) else { return false }
    // All that is not about files, such as time and randomness, is the earlier one's: its functions don't look at
    // which system they are called for.
    let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    unsafe vfs.initialize(to: earlier.pointee)
    unsafe vfs.pointee.pNext = nil
    unsafe vfs.pointee.zName = UnsafePointer(strdup("crashdisk"))
    unsafe vfs.pointee.szOsFile = max(earlier.pointee.szOsFile, Int32(MemoryLayout<FileHandle>.size))
    unsafe vfs.pointee.xOpen = { unsafe CrashDiskVFS.open($1, $2, $3, $4) }
    unsafe vfs.pointee.xDelete = { unsafe CrashDiskVFS.delete($1, $2) }
    unsafe vfs.pointee.xAccess = { unsafe CrashDiskVFS.access($1, $2, $3) }
    unsafe vfs.pointee.xFullPathname = { unsafe CrashDiskVFS.fullPathname($1, $2, $3) }
    unsafe Self.earlier = earlier
    return unsafe sqlite3_vfs_register(vfs, 1) == SQLITE_OK
  }()

  /// Set before ours is registered, and never again.
  nonisolated(unsafe) private static var earlier: UnsafeMutablePointer<sqlite3_vfs>?

  /// Registers it, once.
  static func install() { precondition(isInstalled, "SQLite took no virtual file system") }

  private static func place(_ name: UnsafePointer<CChar>?) -> (disk: CrashDisk, name: String)? {
    guard let name = unsafe name else { return nil }
    return unsafe CrashDisk.find(String(cString: name))
  }

  private static func open(
    _ name: UnsafePointer<CChar>?, _ pointer: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ flagsOut: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    guard let (disk, fileName) = unsafe place(name) else {
      return unsafe earlier?.pointee.xOpen(earlier, name, pointer, flags, flagsOut) ?? SQLITE_CANTOPEN
    }
    guard let pointer = unsafe pointer else { return SQLITE_MISUSE }
    // Without methods, SQLite doesn't close what could not be opened.
    unsafe pointer.pointee.pMethods = nil
    let result = disk.withState { $0.open(fileName, creates: flags & SQLITE_OPEN_CREATE != 0) }
    guard result == SQLITE_OK else { return result }
    let file = OpenFile(disk, fileName, isDeletedOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
    let handle = unsafe FileHandle(base: sqlite3_file(pMethods: FileMethods.table), file: .passRetained(file))
    unsafe UnsafeMutableRawPointer(pointer).initializeMemory(as: FileHandle.self, to: handle)
    unsafe flagsOut?.pointee = flags
    return SQLITE_OK
  }

  private static func delete(_ name: UnsafePointer<CChar>?, _ syncsFolder: Int32) -> Int32 {
    guard let (disk, fileName) = unsafe place(name) else {
      return unsafe earlier?.pointee.xDelete(earlier, name, syncsFolder) ?? SQLITE_IOERR
    }
    return disk.withState { $0.delete(fileName, isDurable: syncsFolder != 0) }
  }

  private static func access(
    _ name: UnsafePointer<CChar>?, _ flags: Int32, _ result: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    guard let (disk, fileName) = unsafe place(name) else {
      return unsafe earlier?.pointee.xAccess(earlier, name, flags, result) ?? SQLITE_IOERR
    }
    unsafe result?.pointee = disk.withState { $0.has(fileName) } ? 1 : 0
    return SQLITE_OK
  }

  /// Paths on a disk are absolute and have no links.
  private static func fullPathname(
    _ name: UnsafePointer<CChar>?, _ size: Int32, _ result: UnsafeMutablePointer<CChar>?
  ) -> Int32 {
    guard unsafe place(name) != nil else {
      return unsafe earlier?.pointee.xFullPathname(earlier, name, size, result) ?? SQLITE_CANTOPEN
    }
    guard let name = unsafe name, let result = unsafe result else { return SQLITE_CANTOPEN }
    let length = unsafe strlen(name)
    guard length < Int(size) else { return SQLITE_CANTOPEN }
    unsafe result.update(from: name, count: length + 1)
    return SQLITE_OK
  }
}
