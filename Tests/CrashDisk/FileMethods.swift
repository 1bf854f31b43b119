import GRDBSQLite

/// A file as SQLite holds it in memory of its own: its methods first (SQLite, `sqlite3_file`), then what is ours.
@safe struct FileHandle {
  var base: sqlite3_file
  var file: Unmanaged<OpenFile>?

  /// Our file behind SQLite's pointer; nil once it is closed.
  static func file(_ pointer: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile? {
    unsafe UnsafeMutableRawPointer(pointer)?.assumingMemoryBound(to: FileHandle.self).pointee.file?
      .takeUnretainedValue()
  }
}

/// The methods by which SQLite uses a file of a `CrashDisk`: version 1, without shared memory, which a WAL needs only
/// where several connections share it (SQLite, Write-Ahead Logging, 8).
enum FileMethods {
  /// The table of functions, kept for ever.
  nonisolated(unsafe) static let table: UnsafePointer<sqlite3_io_methods> = {
    let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    unsafe table.initialize(to: methods)
    return unsafe UnsafePointer(table)
  }()

  private static var methods: sqlite3_io_methods {
    var methods = sqlite3_io_methods()
    methods.iVersion = 1
    unsafe methods.xClose = { unsafe FileMethods.close($0) }
    unsafe methods.xRead = { unsafe FileMethods.read($0, $1, Int($2), at: Int($3)) }
    unsafe methods.xWrite = { unsafe FileMethods.write($0, $1, Int($2), at: Int($3)) }
    unsafe methods.xTruncate = { unsafe FileHandle.file($0)?.truncate(to: Int($1)) ?? SQLITE_IOERR }
    unsafe methods.xSync = { file, _ in unsafe FileHandle.file(file)?.sync() ?? SQLITE_IOERR }
    unsafe methods.xFileSize = { file, result in
      guard let size = unsafe FileHandle.file(file)?.size else { return DiskState.sizeFailed }
      unsafe result?.pointee = sqlite3_int64(size)
      return SQLITE_OK
    }
    // One process, and of each file one connection: there is no other to keep out.
    unsafe methods.xLock = { file, _ in unsafe FileHandle.file(file)?.isAlive == true ? SQLITE_OK : SQLITE_IOERR }
    unsafe methods.xUnlock = { _, _ in SQLITE_OK }
    unsafe methods.xCheckReservedLock = { _, result in
      unsafe result?.pointee = 0
      return SQLITE_OK
    }
    unsafe methods.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
    unsafe methods.xSectorSize = { _ in Int32(StoredFile.sectorSize) }
    unsafe methods.xDeviceCharacteristics = { unsafe FileHandle.file($0)?.disk.characteristics ?? 0 }
    return methods
  }

  private static func close(_ pointer: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    let handle = unsafe UnsafeMutableRawPointer(pointer)?.assumingMemoryBound(to: FileHandle.self)
    unsafe handle?.pointee.file?.takeUnretainedValue().close()
    unsafe handle?.pointee.file?.release()
    unsafe handle?.pointee.file = nil
    return SQLITE_OK
  }

  private static func read(
    _ pointer: UnsafeMutablePointer<sqlite3_file>?, _ buffer: UnsafeMutableRawPointer?, _ count: Int, at offset: Int
  ) -> Int32 {
    guard let buffer = unsafe buffer, let bytes = unsafe FileHandle.file(pointer)?.read(count: count, at: offset) else {
      return DiskState.readFailed
    }
    unsafe bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe buffer.copyMemory(from: start, byteCount: bytes.count)
    }
    if bytes.count == count { return SQLITE_OK }
    // SQLite wants the rest as zeros.
    unsafe (buffer + bytes.count).initializeMemory(as: UInt8.self, repeating: 0, count: count - bytes.count)
    return DiskState.shortRead
  }

  private static func write(
    _ pointer: UnsafeMutablePointer<sqlite3_file>?, _ buffer: UnsafeRawPointer?, _ count: Int, at offset: Int
  ) -> Int32 {
    guard let buffer = unsafe buffer, let file = unsafe FileHandle.file(pointer) else { return DiskState.writeFailed }
    let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: buffer, count: count))
    return file.write(bytes, at: offset)
  }
}
