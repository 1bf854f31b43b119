import GRDB
import GRDBSQLite
import Glibc

extension Database {
  /// Counts a text in the database's file as it is on the disk, whatever the case of its ASCII letters; to be called
  /// when the log is empty.
  ///
  /// Reads by SQLite's own descriptor: closing another one of the same file would drop SQLite's locks on it
  /// (SQLite, "How To Corrupt An SQLite Database File", 2.2).
  func occurrences(of text: [UInt8]) throws -> Int {
    guard let connection = unsafe sqliteConnection, let sign = text.firstIndex(of: UInt8(ascii: "@")) else { return 0 }
    var opened: UnsafeMutablePointer<sqlite3_file>?
    guard unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &opened) == SQLITE_OK,
      let file = unsafe opened, let methods = unsafe file.pointee.pMethods,
      let read = unsafe methods.pointee.xRead, let measure = unsafe methods.pointee.xFileSize
    else { throw DatabaseError(resultCode: .SQLITE_INTERNAL, message: "the file can't be looked through") }
    var size: Int64 = 0
    try unsafe check(measure(file, &size))
    var buffer = [UInt8](repeating: 0, count: min(1 << 20, Int(size)))
    var (found, offset) = (0, Int64(0))
    while offset < size {
      let count = min(buffer.count, Int(size - offset))
      try unsafe check(buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, Int32(count), offset) })
      found += Self.occurrences(of: text, sign: sign, in: buffer, count: count)
      guard offset + Int64(count) < size else { break }
      // A text may begin in this piece and end in the next one.
      offset += Int64(count - min(count - 1, text.count - 1))
    }
    return found
  }

  private func check(_ result: Int32) throws {
    guard result == SQLITE_OK else {
      throw DatabaseError(resultCode: ResultCode(rawValue: result), message: "the file can't be looked through")
    }
  }

  /// Counts a text by looking for its `@`: there are few.
  private static func occurrences(of text: [UInt8], sign: Int, in buffer: [UInt8], count: Int) -> Int {
    var (found, place) = (0, 0)
    while place < count {
      let next = unsafe buffer.withUnsafeBytes { bytes -> Int? in
        guard let start = bytes.baseAddress,
          let hit = unsafe memchr(start + place, Int32(UInt8(ascii: "@")), count - place)
        else { return nil }
        return unsafe UnsafeRawPointer(hit) - start
      }
      guard let next else { break }
      let start = next - sign
      if start >= 0, start + text.count <= count, text.indices.allSatisfy({ lowered(buffer[start + $0]) == text[$0] }) {
        found += 1
      }
      place = next + 1
    }
    return found
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}
