import Conversions
import Foundation
import GRDB

/// Reads what can still be read of a damaged ledger's copy: table by table without its indexes, in ranges of row
/// numbers that are halved where SQLite meets damage.
struct SalvageReader {
  /// The number of rows asked for at once.
  static let rangeMax: Int64 = 512
  /// The number of failures after which a table is only tried from its end on.
  private static let probesMax = 8_000

  private let queue: DatabaseQueue
  private let expected: [String: Set<String>]

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
      tables.contains("orders"), let expected = try? LedgerSchema.columns
    else { return nil }
    (self.queue, self.expected) = (queue, expected)
    // Values in a column by another name would be taken for nothing.
    guard hasColumns("orders") == true, hasColumns("reports") != false else { return nil }
  }

  /// Returns true if a table has the columns that it was made with; nil where there is none.
  private func hasColumns(_ table: String) -> Bool? {
    let columns = try? queue.inDatabase {
      try String.fetchSet($0, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
    }
    guard let columns, !columns.isEmpty else { return nil }
    return expected[table]?.isSubset(of: columns) ?? false
  }

  /// True if anything is found where orders should be: with another ledger's schema there may be other tables there.
  var hasOrders: Bool {
    for way in ["ASC", "DESC"] {
      let sql = "SELECT outcome FROM orders NOT INDEXED ORDER BY entry \(way) LIMIT 1"
      let outcome = try? queue.inDatabase { try Row.fetchOne($0, sql: sql)?.readable("outcome", as: String.self) }
      if let outcome, Outcome(rawValue: outcome) != nil { return true }
    }
    return false
  }

  func close() { try? queue.close() }

  /// The entries that were read, and those that could not be.
  struct Entries {
    /// Those of which there was a row.
    fileprivate(set) var read: Set<Int64> = []
    /// Those that an index alone holds.
    fileprivate(set) var missing: Set<Int64> = []
    /// Those of which nothing is known, in their order: each may have been an order, or none.
    fileprivate var unreadable: [ClosedRange<Int64>] = []
    /// True once some were given up without a try.
    fileprivate(set) var isGivenUp = false

    /// The number of entries that could not be read.
    var count: Int {
      unreadable.reduce(missing.count) { sum, range in
        let (sum, overflow) = sum.addingReportingOverflow(range.count)
        return overflow ? .max : sum
      }
    }

    /// Returns true if an entry was read, or is among those that could not be.
    func holds(_ entry: Int64) -> Bool {
      read.contains(entry) || missing.contains(entry) || isUnreadable(entry)
    }

    private func isUnreadable(_ entry: Int64) -> Bool {
      var (low, high) = (0, unreadable.count)
      while low < high {
        let middle = (low + high) / 2
        if unreadable[middle].upperBound < entry { low = middle + 1 } else { high = middle }
      }
      return low < unreadable.count && unreadable[low].contains(entry)
    }
  }

  /// Reads each row of `orders` once, batch by batch.
  ///
  /// A damaged row number is no damage to SQLite: it looks for a row where it isn't, and a row that isn't found is no
  /// row. So an entry that the index of keys has, and that was not read, is looked for in the whole table from both of
  /// its ends, and where it isn't there, either, it is counted as missing.
  ///
  /// - Parameter take: Takes a batch in; throws no `DatabaseError`.
  /// - Returns: The entries that were read, and those that could not be.
  /// - Throws: Any error that `take` throws.
  func orders(_ take: ([Row]) throws -> Void) throws -> Entries {
    var entries = Entries()
    func takeNew(_ rows: [Row]) throws {
      try take(
        rows.filter { row in
          row.readable("entry", as: Int64.self).map { entries.read.insert($0).inserted } ?? false
        })
    }
    let found = try inRanges(takeNew)
    (entries.unreadable, entries.isGivenUp) = found
    let isListed = try listed("sqlite_autoindex_orders_1 ORDER BY key") { entry in
      if !entries.holds(entry) { entries.missing.insert(entry) }
    }
    if isListed, entries.missing.isEmpty { return entries }
    if try !read("SELECT * FROM orders NOT INDEXED ORDER BY entry", takeNew) {
      _ = try read("SELECT * FROM orders NOT INDEXED ORDER BY entry DESC", takeNew)
    }
    for entry in entries.missing where !entries.read.contains(entry) {
      if let rows = try rows("entry = ?", [entry]) { try takeNew(rows) }
    }
    entries.missing.subtract(entries.read)
    return entries
  }

  /// Lists the entries that an index of the orders holds, from both of its ends up to the damage.
  ///
  /// - Returns: True if all were read.
  func listed(_ index: String, _ take: (Int64) throws -> Void) throws -> Bool {
    func each(_ rows: [Row]) throws {
      for case let entry? in rows.map({ $0.readable("entry", as: Int64.self) }) { try take(entry) }
    }
    if try read("SELECT entry FROM orders INDEXED BY \(index)", each) { return true }
    if index.contains("ORDER BY") { _ = try read("SELECT entry FROM orders INDEXED BY \(index) DESC", each) }
    return false
  }

  private func inRanges(_ take: ([Row]) throws -> Void) throws -> (unreadable: [ClosedRange<Int64>], isGivenUp: Bool) {
    var (after, probes): (Int64, Int) = (0, 0)
    var unreadable: [ClosedRange<Int64>] = []
    while probes < Self.probesMax {
      if let rows = try rows("entry > ? ORDER BY entry LIMIT \(Self.rangeMax)", [after]) {
        try take(rows)
        guard let last = rows.last?.readable("entry", as: Int64.self), last > after, rows.count == Self.rangeMax else {
          return (unreadable, false)
        }
        after = last
        continue
      }
      // Behind damage that reaches to the end some may still be readable, up to the last number that was given out.
      guard let next = try nextReadable(after: after) ?? lastNumber, next > after else { break }
      var pending = [(after + 1)...next]
      while let range = pending.popLast() {
        if let rows = try rows("entry BETWEEN ? AND ?", [range.lowerBound, range.upperBound]) {
          try take(rows)
          continue
        }
        probes += 1
        guard range.count > 1, probes < Self.probesMax else {
          unreadable.append(range)
          continue
        }
        let middle = range.lowerBound + Int64(range.count / 2)
        // The lower half first.
        pending += [middle...range.upperBound, range.lowerBound...(middle - 1)]
      }
      after = next
    }
    // Reads the rows behind all that damage, from the end.
    var before = Int64.max
    while let rows = try rows("entry < ? ORDER BY entry DESC LIMIT \(Self.rangeMax)", [before]) {
      let new = rows.filter { ($0.readable("entry", as: Int64.self) ?? 0) > after }
      try take(new)
      guard new.count == Self.rangeMax, let last = new.last?.readable("entry", as: Int64.self) else { break }
      before = last
    }
    return (unreadable, true)
  }

  /// Finds an entry not far behind another from which on rows can be read again; nil where there is none, as where the
  /// root is gone.
  private func nextReadable(after entry: Int64) throws -> Int64? {
    var step: Int64 = 1
    // A number that damage made may be next to the largest there is.
    while step < 1 << 40, entry <= .max - step {
      if let rows = try rows("entry > ? ORDER BY entry LIMIT 1", [entry + step]) {
        // Nothing behind it: the damage is at the end.
        return rows.isEmpty ? max(entry + 1, min(entry + step, lastNumber ?? .max)) : entry + step
      }
      step *= 2
    }
    return nil
  }

  /// The last number that an entry was given, as far as it can be read.
  private var lastNumber: Int64? {
    let known = try? queue.inDatabase {
      try Int64.fetchOne($0, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'orders'")
    }
    return known.flatMap(\.self)
  }

  /// Reads rows of `orders`; nil where they can't be read.
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

  /// Returns true if the index of keys has an entry under its key: no digest holds the key. nil where it can't be read.
  func isUnder(_ key: String, _ entry: Int64) -> Bool? {
    try? queue.unsafeReentrantWrite {
      try Int64.fetchOne($0, sql: "SELECT entry FROM orders WHERE key = ?", arguments: [key]) == entry
    }
  }

  /// Returns true if the index of claims has an entry under its referral: without its report no other copy tells that.
  func holds(_ referral: ReferralID, _ entry: Int64) -> Bool {
    let sql = "SELECT entry FROM orders INDEXED BY orders_claims WHERE referral_id = ? AND claims = 1"
    return (try? queue.unsafeReentrantWrite { try Int64.fetchOne($0, sql: sql, arguments: [referral.text]) == entry })
      ?? false
  }

  /// Returns true if an index of the settled orders has one under its key, too; nil where it can't be read.
  func isSettled(_ key: String, _ outcome: String, _ decidedAt: Int64) -> Bool? {
    let sql = """
      SELECT count(*) FROM settled INDEXED BY settled_outcome WHERE outcome = ? AND decided_at = ? AND key = ?
      """
    return try? queue.unsafeReentrantWrite {
      try Int.fetchOne($0, sql: sql, arguments: [outcome, decidedAt, key]) == 1
    }
  }

  /// Counts the settled orders with an outcome, by an index of theirs; nil where it can't be read.
  func settledCount(_ outcome: String) -> Int? {
    let sql = "SELECT count(*) FROM settled INDEXED BY settled_outcome WHERE outcome = ?"
    return try? queue.inDatabase { try Int.fetchOne($0, sql: sql, arguments: [outcome]) }
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

  /// Reads the rows of a table that has no row numbers: from both ends up to the damage.
  ///
  /// - Parameters:
  ///   - table: Its name.
  ///   - key: Its primary key.
  ///   - take: Takes a batch in, perhaps twice; throws no `DatabaseError`.
  /// - Returns: True if all were read.
  /// - Throws: Any error that `take` throws.
  func rows(of table: String, by key: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    guard hasColumns(table) == true else { return false }
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

  /// Reads a fact; nil where there is none, or none that can be read.
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

extension Row {
  /// Reads a column's value; nil where damage made it another kind: GRDB's own conversion ends the program.
  func readable<Value: DatabaseValueConvertible>(_ column: String, as type: Value.Type) -> Value? {
    (self[column] as DatabaseValue?).flatMap(Value.fromDatabaseValue)
  }
}
