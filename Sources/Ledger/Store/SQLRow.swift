import Conversions
import Foundation
import GRDB

/// A row's columns, counted from 0. A value of another kind than the column has, which only damage makes, is nil: GRDB's
/// own subscripts end the program there.
struct SQLRow {
  fileprivate let row: Row

  func text(_ column: Int) -> String? { value(column) }
  func integer(_ column: Int) -> Int64? { value(column) }
  func bytes(_ column: Int) -> [UInt8] { value(column, as: Data.self).map(Array.init) ?? [] }
  func time(_ column: Int) -> Timestamp? { integer(column).map(Timestamp.init(microseconds:)) }

  private func value<Value: DatabaseValueConvertible>(_ column: Int, as type: Value.Type = Value.self) -> Value? {
    Value.fromDatabaseValue(row[column])
  }
}

/// Statements of a transaction, which the connection keeps by their text once they are prepared.
extension SQLiteTransaction {
  /// Runs a statement for its effect.
  func execute(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
    try db.cachedStatement(sql: sql).execute(arguments: arguments)
  }

  /// Runs a query for all of its rows.
  func rows<Value>(
    _ sql: String, _ arguments: StatementArguments = StatementArguments(), _ read: (SQLRow) throws -> Value
  ) throws -> [Value] {
    let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
    var found: [Value] = []
    while let row = try cursor.next() { found.append(try read(SQLRow(row: row))) }
    return found
  }

  /// Runs a query for its first row; nil for none.
  func first<Value>(
    _ sql: String, _ arguments: StatementArguments = StatementArguments(), _ read: (SQLRow) throws -> Value
  ) throws -> Value? {
    try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map { try read(SQLRow(row: $0)) }
  }
}
