import Conversions
import Foundation
import GRDB

/// Reads what can still be read of a damaged ledger's copy: each table without its indexes, from its beginning up to the
/// damage, and from its end back to it.
struct SalvageReader {
  /// The number of rows that are taken in at once.
  private static let batchMax = 512

  private let queue: DatabaseQueue

  /// Opens a copy, which may be changed; nil where not even its schema can be read.
  init?(copyPath: String) {
    var configuration = GRDB.Configuration()
    configuration.qos = .default
    configuration.label = "salvage"
    configuration.prepareDatabase { db in
      // With it a file is opened that is shorter than its header says (SQLite, btree.c, lockBtree).
      try db.execute(sql: "PRAGMA writable_schema = ON")
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try db.execute(sql: "PRAGMA cell_size_check = ON")
    }
    guard let queue = try? DatabaseQueue(path: copyPath, configuration: configuration) else { return nil }
    self.queue = queue
    guard !columns(of: "orders").isEmpty else { return nil }
  }

  func close() { try? queue.close() }

  /// The names of a table's columns; none where there is no such table, or none that can be read.
  func columns(of table: String) -> Set<String> {
    let names = try? queue.unsafeReentrantWrite {
      try String.fetchSet($0, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
    }
    return names ?? []
  }

  /// Reads a fact; nil where there is none, or none that can be read.
  func fact(_ name: String) -> String? {
    let value = try? queue.inDatabase {
      try String.fetchOne($0, sql: "SELECT value FROM facts WHERE name = ?", arguments: [name])
    }
    return value ?? nil
  }

  /// Reads the rows of a table: forward, and backward where that met damage. A page that stands in another one's place is
  /// damage that SQLite reads without a word: the keys go back behind it.
  ///
  /// - Parameters:
  ///   - table: Its name.
  ///   - key: Its primary key.
  ///   - take: Takes a batch in, perhaps twice; throws no `DatabaseError`.
  /// - Returns: True if all were read.
  /// - Throws: Any error that `take` throws.
  func rows(of table: String, by key: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    // Without NOT INDEXED a table with row numbers may be read in the order of another index, which is damaged, too.
    let select = "SELECT * FROM \(table) NOT INDEXED ORDER BY \(key)"
    let order = KeyOrder(key)
    if try read(
      select,
      { rows in
        order.look(rows)
        try take(rows)
      }), order.holds
    {
      return true
    }
    _ = try read(select + " DESC", take)
    return false
  }

  private func read(_ sql: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    try queue.inDatabase { db in
      var batch: [Row] = []
      do {
        let cursor = try Row.fetchCursor(db, sql: sql)
        while let row = try cursor.next() {
          batch.append(row.copy())
          guard batch.count == Self.batchMax else { continue }
          try take(batch)
          batch = []
        }
      } catch let error as DatabaseError where Self.isDamage(error) {
        try take(batch)
        return false
      }
      try take(batch)
      return true
    }
  }

  /// Counts the rows of a table, by an index where it has one; nil where that can't be read.
  func count(of table: String) -> Int? {
    try? queue.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") }
  }

  /// The last number that an entry was given, as far as it can be read.
  var lastEntry: Int64? {
    let known = try? queue.inDatabase {
      try Int64.fetchOne($0, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'orders'")
    }
    return known ?? nil
  }

  /// Reads the report of an entry, where there is one.
  ///
  /// - Returns: The report, or its absence; nil where that can't be read.
  func report(of entry: Int64) -> Row?? {
    do {
      return .some(
        try queue.unsafeReentrantWrite {
          try Row.fetchOne($0, sql: "SELECT * FROM reports NOT INDEXED WHERE entry = ?", arguments: [entry])
        })
    } catch {
      return .none
    }
  }

  /// Reads the sends of an entry, as far as that can be.
  func attempts(of entry: Int64) -> [Row] {
    let rows = try? queue.unsafeReentrantWrite {
      try Row.fetchAll($0, sql: "SELECT * FROM attempts WHERE entry = ? ORDER BY number", arguments: [entry])
    }
    return rows ?? []
  }

  private static func isDamage(_ error: DatabaseError) -> Bool {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_IOERR, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_TOOBIG: true
    default: false
    }
  }
}

/// The order of the keys of rows that are read one after the other.
private final class KeyOrder {
  private let column: String
  private var last: DatabaseValue.Storage?
  /// True as long as each key comes after the one before.
  private(set) var holds = true

  init(_ column: String) { self.column = column }

  func look(_ rows: [Row]) {
    for row in rows {
      guard let key = (row[column] as DatabaseValue?)?.storage else { continue }
      switch (last, key) {
      case (.int64(let before)?, .int64(let now)): holds = holds && before < now
      case (.string(let before)?, .string(let now)):
        holds = holds && before.utf8.lexicographicallyPrecedes(now.utf8)
      default: break
      }
      last = key
    }
  }
}

extension Row {
  /// Reads a column's value; nil where damage made it another kind: GRDB's own conversion ends the program.
  func readable<Value: DatabaseValueConvertible>(_ column: String, as type: Value.Type) -> Value? {
    (self[column] as DatabaseValue?).flatMap(Value.fromDatabaseValue)
  }
}
