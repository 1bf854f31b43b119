import Conversions
import GRDB
import GRDBSQLite

/// A statement that runs once for each of millions of orders. Its values go to SQLite, and come from it, by SQLite's
/// own functions: GRDB's arguments and rows cost more than the statement does.
///
/// Runs on the connection's own queue only. SQLite's errors are thrown as `DatabaseError`, as GRDB throws them.
@safe struct HotStatement {
  private let statement: Statement
  private let handle: OpaquePointer

  fileprivate init(_ db: Database, _ sql: String) throws {
    statement = try db.cachedStatement(sql: sql)
    unsafe handle = statement.sqliteStatement
  }

  /// Runs it for its effect.
  func run(_ bind: (inout Values) throws -> Void) throws { _ = try rows(bind) { _ in } }

  /// Runs it for its rows, each of which is valid until the next one.
  func rows<Value>(_ bind: (inout Values) throws -> Void, _ row: (Columns) throws -> Value) throws -> [Value] {
    defer { unsafe sqlite3_reset(handle) }
    try self.bind(bind)
    var found: [Value] = []
    while try step() { found.append(try row(unsafe Columns(handle: handle))) }
    return found
  }

  /// Runs it for its first row; nil for none.
  func first<Value>(_ bind: (inout Values) throws -> Void, _ row: (Columns) throws -> Value) throws -> Value? {
    defer { unsafe sqlite3_reset(handle) }
    try self.bind(bind)
    return try step() ? try row(unsafe Columns(handle: handle)) : nil
  }

  private func bind(_ bind: (inout Values) throws -> Void) throws {
    var values = unsafe Values(handle)
    try bind(&values)
  }

  /// Steps to the next row; false where there is none.
  private func step() throws -> Bool {
    let result = unsafe sqlite3_step(handle)
    switch result {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default:
      throw DatabaseError(
        resultCode: ResultCode(rawValue: result),
        message: unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))))
    }
  }

  /// Binds values to a statement's parameters, from the first to the last.
  @safe struct Values {
    private let handle: OpaquePointer
    private var index: Int32 = 0

    fileprivate init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    mutating func add(_ text: String?) {
      index += 1
      guard var text else { return _ = unsafe sqlite3_bind_null(handle, index) }
      // SQLite copies the bytes: they are not ours any more once the statement runs.
      let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      text.withUTF8 { bytes in
        // Without a pointer SQLite would bind NULL.
        let start = unsafe bytes.baseAddress ?? UnsafePointer(bitPattern: 1)
        unsafe start?.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
          _ = unsafe sqlite3_bind_text(handle, index, start, Int32(bytes.count), copied)
        }
      }
    }

    mutating func add(_ integer: Int64?) {
      index += 1
      guard let integer else { return _ = unsafe sqlite3_bind_null(handle, index) }
      unsafe sqlite3_bind_int64(handle, index, integer)
    }

    mutating func add(_ bytes: [UInt8]) {
      index += 1
      let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      _ = unsafe sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), copied)
    }

    mutating func add(_ flag: Bool) { add(flag ? 1 : 0) }
    mutating func add(_ time: Timestamp?) { add(time?.microseconds) }
  }

  /// A row's columns, counted from 0.
  @safe struct Columns {
    fileprivate let handle: OpaquePointer

    func text(_ column: Int32) -> String? {
      guard let start = unsafe sqlite3_column_text(handle, column) else { return nil }
      let count = unsafe Int(sqlite3_column_bytes(handle, column))
      return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func integer(_ column: Int32) -> Int64? {
      guard unsafe sqlite3_column_type(handle, column) != SQLITE_NULL else { return nil }
      return unsafe sqlite3_column_int64(handle, column)
    }

    func bytes(_ column: Int32) -> [UInt8] {
      guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
      let count = unsafe Int(sqlite3_column_bytes(handle, column))
      return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    func time(_ column: Int32) -> Timestamp? { integer(column).map(Timestamp.init(microseconds:)) }
  }
}

/// The hot statements of one group of transactions, each looked up once: to find one among GRDB's by its text takes as
/// long as to bind it. And the facts that they all rest on, each read once.
final class HotStatements {
  /// The names of the hot statements.
  enum Name: Int, CaseIterable {
    case standing, settled, insert, update, holder, referralByID, referralsByEmail, referralsByExternalID
    case freezing, beforeSend, attempt, counting, end, converted, referralSeenAt, referralReadAt
    case entry, fact, rivals, endAndLetGo
  }

  private var found = [HotStatement?](repeating: nil, count: Name.allCases.count)
  /// The facts that were read, by their names; a fact that is set is taken out.
  var facts: [String: any Sendable] = [:]

  func statement(_ name: Name, _ db: Database, _ sql: () -> String) throws -> HotStatement {
    if let statement = found[name.rawValue] { return statement }
    let statement = try HotStatement(db, sql())
    found[name.rawValue] = statement
    return statement
  }
}

extension SQLiteTransaction {
  /// Returns a statement by its name, with its text for the first time.
  func hot(_ name: HotStatements.Name, _ sql: @autoclosure () -> String) throws -> HotStatement {
    try hotStatements.statement(name, db, sql)
  }

  /// Returns a statement by its text.
  func hot(_ sql: String) throws -> HotStatement { try HotStatement(db, sql) }
}
