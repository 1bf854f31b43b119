import Conversions
import Foundation
import GRDB

/// Reads what can still be read of a damaged ledger's copy: table by table without its indexes, in ranges of row numbers
/// that are halved where SQLite meets damage.
struct SalvageReading {
  /// Rows asked for at once.
  static let rangeMax: Int64 = 512
  /// After so many failures without a row in between, the rest is only tried from its end: a root is gone.
  private static let failuresMax = 200_000

  private let queue: DatabaseQueue

  /// Opens a copy, which may be changed; nil where not even its schema can be read.
  init?(copyPath: String) {
    var configuration = GRDB.Configuration()
    configuration.label = "salvage"
    configuration.prepareDatabase { db in
      // With it a file is opened that is shorter than its header says (SQLite, btree.c, lockBtree).
      try db.execute(sql: "PRAGMA writable_schema = ON")
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try db.execute(sql: "PRAGMA cell_size_check = ON")
    }
    guard let queue = try? DatabaseQueue(path: copyPath, configuration: configuration),
      let tables = try? queue.inDatabase({ try String.fetchSet($0, sql: "SELECT name FROM sqlite_master") }),
      tables.contains("orders")
    else { return nil }
    self.queue = queue
  }

  func close() { try? queue.close() }

  /// Each row of `orders`, batch by batch.
  ///
  /// - Parameter take: Takes a batch in; throws no `DatabaseError`.
  /// - Returns: How many entries could not be read, and whether some were given up without a try.
  func orders(_ take: ([Row]) throws -> Void) throws -> (unreadable: Int, isGivenUp: Bool) {
    var (after, unreadable, failures): (Int64, Int, Int) = (0, 0, 0)
    while failures <= Self.failuresMax {
      if let rows = try rows("entry > ? ORDER BY entry LIMIT \(Self.rangeMax)", [after]) {
        try take(rows)
        guard let last = rows.last?["entry"] as Int64?, last > after, rows.count == Self.rangeMax else {
          return (unreadable, false)
        }
        (after, failures) = (last, 0)
        continue
      }
      var pending = [(after + 1)...(after + Self.rangeMax)]
      while let range = pending.popLast() {
        if let rows = try rows("entry BETWEEN ? AND ?", [range.lowerBound, range.upperBound]) {
          if !rows.isEmpty { failures = 0 }
          try take(rows)
          continue
        }
        failures += 1
        guard range.count > 1 else {
          unreadable += 1
          continue
        }
        let middle = range.lowerBound + Int64(range.count / 2)
        // The lower half first.
        pending += [middle...range.upperBound, range.lowerBound...(middle - 1)]
      }
      after += Self.rangeMax
    }
    // What is behind all that damage.
    var before = Int64.max
    while let rows = try rows("entry < ? ORDER BY entry DESC LIMIT \(Self.rangeMax)", [before]) {
      try take(rows)
      guard let last = rows.last?["entry"] as Int64?, last < before, last > after else { break }
      before = last
    }
    return (unreadable, true)
  }

  /// Nil where they can't be read.
  private func rows(_ condition: String, _ arguments: StatementArguments) throws -> [Row]? {
    do {
      return try queue.inDatabase { db in
        try Row.fetchAll(
          db.cachedStatement(sql: "SELECT * FROM orders NOT INDEXED WHERE \(condition)"), arguments: arguments)
      }
    } catch let error as DatabaseError where Self.isDamage(error) {
      return nil
    }
  }

  /// The report of an entry; nil where there is none, or none that can be read.
  func report(of entry: Int64) -> Row? {
    try? queue.inDatabase {
      try Row.fetchOne($0, sql: "SELECT * FROM reports NOT INDEXED WHERE entry = ?", arguments: [entry])
    }
  }

  /// The sends of an entry, as far as they can be read.
  func attempts(of entry: Int64) -> [Row] {
    let rows = try? queue.inDatabase {
      try Row.fetchAll($0, sql: "SELECT * FROM attempts WHERE entry = ? ORDER BY number", arguments: [entry])
    }
    return rows ?? []
  }

  /// The rows of a table that has no row numbers: from both ends up to the damage.
  ///
  /// - Parameters:
  ///   - table: Its name.
  ///   - key: Its primary key.
  ///   - take: Takes a batch in, perhaps twice; throws no `DatabaseError`.
  /// - Returns: Whether all were read; true where there is no such table.
  func rows(of table: String, by key: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    guard (try? queue.inDatabase { try $0.tableExists(table) }) == true else { return true }
    if try read("SELECT * FROM \(table) ORDER BY \(key)", take) { return true }
    _ = try read("SELECT * FROM \(table) ORDER BY \(key) DESC", take)
    return false
  }

  private func read(_ sql: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    try queue.inDatabase { db in
      var batch: [Row] = []
      do {
        let cursor = try Row.fetchCursor(db, sql: sql)
        while let row = try cursor.next() {
          batch.append(row.copy())
          guard batch.count == Int(Self.rangeMax) else { continue }
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

  /// A fact; nil where there is none, or none that can be read.
  func fact(_ name: String) -> String? {
    let value = try? queue.inDatabase {
      try String.fetchOne($0, sql: "SELECT value FROM facts WHERE name = ?", arguments: [name])
    }
    return value ?? nil
  }

  private static func isDamage(_ error: DatabaseError) -> Bool {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_IOERR, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_TOOBIG: true
    default: false
    }
  }
}
