internal import CLibpq

/// The rows that a query returned. Each cell is copied once, when it is asked for; libpq's memory is freed with the
/// last reference.
public final class PostgresRows: Sendable {
  /// The description of a column.
  public struct Column: Hashable, Sendable {
    /// Its name or alias.
    public var name: String
    /// Its type's OID in pg_type.
    public var typeOID: UInt32
    /// Its type modifier (a precision, a length); -1 for none.
    public var typeModifier: Int32
    /// The OID of the table that it is a plain column of; 0 for an expression.
    public var tableOID: UInt32
    /// The column's number in that table, from 1; 0 for an expression.
    public var tableColumn: Int32
  }

  /// The form in which cells travel (PostgreSQL manual, 34.3.1, resultFormat).
  public enum Format: Int32, Sendable {
    /// As the type's output function writes them.
    case text = 0
    /// As the type's send function writes them: texts as they are, numbers big-endian.
    case binary = 1
  }

  /// The columns, from left to right.
  public let columns: [Column]
  /// The number of rows.
  public let count: Int
  private let result: ResultHandle

  init(_ result: ResultHandle) {
    self.result = result
    count = Int(unsafe PQntuples(result.pointer))
    let width = unsafe PQnfields(result.pointer)
    columns = (0..<width).map { index in
      Column(
        name: unsafe String(cString: PQfname(result.pointer, index)), typeOID: unsafe PQftype(result.pointer, index),
        typeModifier: unsafe PQfmod(result.pointer, index), tableOID: unsafe PQftable(result.pointer, index),
        tableColumn: unsafe PQftablecol(result.pointer, index))
    }
  }

  /// True if a cell is NULL.
  public func isNull(_ row: Int, _ column: Int) -> Bool {
    precondition(row >= 0 && row < count && column >= 0 && column < columns.count, "no such cell")
    return unsafe PQgetisnull(result.pointer, Int32(row), Int32(column)) == 1
  }

  /// A cell's text; nil for NULL.
  ///
  /// - Parameters:
  ///   - row: Counted from 0.
  ///   - column: Counted from 0.
  /// - Returns: The text, nil for NULL.
  /// - Throws: `PostgresError` 22021 where the bytes are no UTF-8.
  public func text(_ row: Int, _ column: Int) throws -> String? {
    guard !isNull(row, column) else { return nil }
    guard let text = unsafe String(validating: cell(row, column), as: UTF8.self) else {
      throw PostgresError(sqlState: .characterNotInRepertoire, message: "the server sent bytes that are no UTF-8")
    }
    return text
  }

  /// A cell's bytes as the server sent them; nil for NULL.
  public func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
    isNull(row, column) ? nil : unsafe Array(cell(row, column))
  }

  /// A cell of an integer type, `timestamptz` (microseconds since 2000-01-01T00:00:00Z), `xid` or `bool`, of a query in
  /// binary format; nil for NULL.
  public func integer(_ row: Int, _ column: Int) -> Int64? {
    let bytes = unsafe cell(row, column)
    if unsafe bytes.isEmpty, isNull(row, column) { return nil }
    switch bytes.count {
    case 8: return unsafe Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    // An xid is the only one of four bytes that uses its highest bit for the number.
    case 4 where columns[column].typeOID == Self.xid:
      return unsafe Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
    case 4: return unsafe Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case 2: return unsafe Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    case 1: return unsafe Int64(bytes[0])
    default: preconditionFailure("no integer")
    }
  }

  /// OID of `xid` in pg_type.
  private static let xid: UInt32 = 28

  /// Lends a cell's bytes as the server sent them, without a copy; nil for NULL.
  public func withBytes<Result>(_ row: Int, _ column: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result? {
    let cell = unsafe cell(row, column)
    // NULL has no length, and a call less for each of millions of cells counts.
    if unsafe cell.isEmpty, isNull(row, column) { return nil }
    let bytes = unsafe Span<UInt8>(_unsafeBytes: cell)
    return try body(bytes)
  }

  /// libpq's own memory: valid as long as `result`, and followed by a NUL that the length leaves out.
  private func cell(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
    precondition(row >= 0 && row < count && column >= 0 && column < columns.count, "no such cell")
    let length = unsafe PQgetlength(result.pointer, Int32(row), Int32(column))
    let start = unsafe PQgetvalue(result.pointer, Int32(row), Int32(column))
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(length))
  }
}

/// Owns a PGresult. Sendable, as libpq never changes one after it was made: "PGresult objects are normally read-only
/// after creation, and so can be passed around freely between threads" (PostgreSQL manual, 34.20).
@safe final class ResultHandle: @unchecked Sendable {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  var status: ExecStatusType { unsafe PQresultStatus(pointer) }

  /// One field of an error result.
  func errorField(_ code: Character) -> String? {
    guard let ascii = code.asciiValue, let text = unsafe PQresultErrorField(pointer, Int32(ascii)) else { return nil }
    return unsafe String(cString: text)
  }

  deinit { unsafe PQclear(pointer) }
}
