import Conversions
import Foundation
import GRDB

/// Takes whole rows of a damaged ledger into a new one: those that are what they claim to be. The rest is counted.
struct SalvageKeeper {
  /// Outcomes that must be kept: of what the API has or may have, and of what people decided. All else is decided anew.
  private static let kept: Set<Outcome> = [.reported, .discarded, .review, .queued]
  private static let settledKept: Set<Outcome> = [.reported, .discarded]
  /// An order is tried some thousands of times at most.
  private static let attemptsMax: Int64 = 1_000_000

  let reading: SalvageReader
  let ledger: DatabaseQueue
  private let transactionOf: (Database) -> SQLiteTransaction = { SQLiteTransaction($0, known: KnownKeys()) }

  init(_ reading: SalvageReader, into ledger: DatabaseQueue) {
    (self.reading, self.ledger) = (reading, ledger)
  }

  /// Takes in all that can be.
  ///
  /// - Throws: `LedgerFailure` where the new ledger can't be written.
  func keep() throws -> Salvage {
    var salvage = Salvage()
    try writing { db in
      for name in SQLiteTransaction.lastingFacts {
        if let value = reading.fact(name) { try transactionOf(db).setFact(name, value) }
      }
    }
    // By the hashes of those who were forgotten the orders' own rows are told below.
    try keepForgotten(&salvage)
    try keepActs(&salvage)
    try keepOrders(&salvage)
    if try !rows(of: "settled", by: "key", { try keepSettled($0, &salvage) }) { salvage.tables.append("settled") }
    return salvage
  }

  /// Reads the rows of a table; none of one with a column that this version's has not: its values would be taken for
  /// nothing.
  ///
  /// - Returns: True if all were read, as many as SQLite counts.
  func rows(of table: String, by key: String, _ take: ([Row]) throws -> Void) throws -> Bool {
    guard try isKnown(table) else { return false }
    // A page that stands in the place of another shows its rows twice, and hides the other's.
    var keys: Set<Int> = []
    let hasAll = try reading.rows(of: table, by: key) { rows in
      for row in rows { keys.insert((row[key] as DatabaseValue?)?.hashValue ?? 0) }
      try take(rows)
    }
    return hasAll && reading.count(of: table) ?? keys.count == keys.count
  }

  private func isKnown(_ table: String) throws -> Bool {
    let (found, known) = (reading.columns(of: table), try LedgerSchema.columns[table] ?? [])
    return !found.isEmpty && found.isSubset(of: known)
  }

  private func keepOrders(_ salvage: inout Salvage) throws {
    let hasReports = try isKnown("reports")
    if !hasReports { salvage.tables.append("reports") }
    var read: Set<Int64> = []
    let hasAll = try rows(of: "orders", by: "entry") { rows in
      let new = rows.filter { row in row.readable("entry", as: Int64.self).map { read.insert($0).inserted } ?? false }
      try keep(new, hasReports: hasReports, &salvage)
    }
    guard !hasAll else { return }
    // Entries have numbers in a row but for those that were removed: each that is missing may have been an order.
    guard let last = reading.lastEntry ?? read.max(), last >= read.count, last < 1 << 40, !read.isEmpty else {
      salvage.tables.append("orders")
      return
    }
    salvage.unreadable = Int(last) - read.count
    if salvage.unreadable == 0 { salvage.tables.append("orders") }
  }

  func writing(_ body: (Database) throws -> Void) throws {
    do {
      try ledger.inDatabase { db in
        try db.inTransaction(.immediate) {
          try body(db)
          return .commit
        }
      }
    } catch let error as DatabaseError {
      throw LedgerFailure(error)
    }
  }

  private func keepForgotten(_ salvage: inout Salvage) throws {
    // Without the key its hashes mean nothing.
    let hasKey = reading.fact(SQLiteTransaction.forgettingKey) != nil
    var (count, hasOther) = (0, false)
    let hasAll = try rows(of: "forgotten", by: "hash") { rows in
      hasOther = hasOther || !hasKey && !rows.isEmpty
      try writing { db in
        for row in rows where hasKey {
          guard let hash = row.readable("hash", as: Data.self), hash.count == 32,
            let time = row.readable("forgotten_at", as: Int64.self)
          else {
            hasOther = true
            continue
          }
          try db.execute(sql: "INSERT OR IGNORE INTO forgotten VALUES (?, ?)", arguments: [hash, time])
          count += db.changesCount
        }
      }
    }
    salvage.forgotten = count
    if !hasAll || hasOther { salvage.tables.append("forgotten") }
  }

  private func keep(_ rows: [Row], hasReports: Bool, _ salvage: inout Salvage) throws {
    var counts = salvage
    try writing { db in
      try Self.keepHolds(rows, db)
      for row in rows {
        guard let entry = row.readable("entry", as: Int64.self) else { continue }
        guard let stored = row.readable("outcome", as: String.self).flatMap(Outcome.init) else {
          counts.distrusted += 1
          continue
        }
        guard Self.kept.contains(stored) else { continue }
        let found = hasReports ? reading.report(of: entry) : .some(nil)
        if found == nil, !counts.tables.contains("reports") { counts.tables.append("reports") }
        let report = found.flatMap(\.self)
        // Never sent: decided anew, from the shop.
        if stored == .queued, report == nil { continue }
        switch try keepWhole(row, report, db) {
        case .reported?: counts.reported += 1
        case .discarded?: counts.discarded += 1
        case .review?: counts.review += 1
        case nil: counts.distrusted += 1
        default: counts.unfinished += 1
        }
      }
    }
    salvage = counts
  }

  /// Takes in one order, or nothing of it.
  private func keepWhole(_ row: Row, _ report: Row?, _ db: Database) throws -> Outcome? {
    var outcome: Outcome?
    do {
      try db.inSavepoint {
        outcome = try keep(row, report, db)
        return outcome == nil ? .rollback : .commit
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
      return nil
    }
    return outcome
  }

  /// Takes in one order with its report and its sends.
  ///
  /// - Returns: Its outcome; nil where its content isn't what its digest says, or its report isn't its own.
  private func keep(_ row: Row, _ report: Row?, _ db: Database) throws -> Outcome? {
    let entry = row.readable("entry", as: Int64.self) ?? 0
    try Self.insert(row, into: "orders", db)
    try db.execute(
      sql: "UPDATE orders SET decide_at = NULL WHERE entry = ? AND outcome <> 'review'", arguments: [entry])
    if let report { try Self.insert(report, into: "reports", db) }
    // A damaged count, which no order ever reaches, must not be counted up from. A single damaged bit would say that
    // nothing can have been done.
    try db.execute(
      sql: """
        UPDATE reports SET attempts = max(0, min(attempts, ?1)),
          is_unknown = CASE WHEN first_sent_at IS NULL THEN is_unknown ELSE 1 END WHERE entry = ?2
        """, arguments: [Self.attemptsMax, entry])
    guard let order = try? transactionOf(db).entry(EntryID(entry)),
      order.row.digest.bits == row.readable("digest", as: Int64.self), !order.row.key.text.isEmpty
    else { return nil }
    guard let frozen = order.frozen else {
      // One that was sent, and of whose report nothing is left, is known by its referral alone.
      return report == nil && (order.outcome != .reported || order.referralID != nil) ? order.outcome : nil
    }
    guard frozen.report.isWhole, frozen.report.transactionID.text == order.row.transactionID,
      order.referralID == nil || order.referralID == frozen.report.referralID
    else { return nil }
    let composed = ConversionReport(
      referralID: frozen.report.referralID, transactionID: frozen.report.transactionID, value: frozen.report.value,
      metadata: order.order?.metadata)
    if composed != frozen.report {
      // Its metadata is another than the order's, by a change of the order, or by damage: what may be sent must be
      // sure.
      if [.queued, .sending].contains(order.outcome) { return nil }
      try transactionOf(db).replaceBody(of: order.entry, frozen)
    }
    for attempt in reading.attempts(of: entry) { try keepAttempt(attempt, db) }
    return order.outcome
  }

  /// Takes in a send, for people to look at: nothing rests on it.
  private func keepAttempt(_ attempt: Row, _ db: Database) throws {
    guard let number = attempt.readable("number", as: Int64.self), (1...Self.attemptsMax).contains(number) else {
      return
    }
    try? db.inSavepoint {
      try Self.insert(attempt, into: "attempts", db)
      return .commit
    }
  }

  private func keepSettled(_ rows: [Row], _ salvage: inout Salvage) throws {
    var (count, distrusted) = (salvage.settled, salvage.distrusted)
    try writing { db in
      for row in rows {
        let outcome = row.readable("outcome", as: String.self).flatMap(Outcome.init)
        if let outcome, !Self.settledKept.contains(outcome) { continue }
        guard let outcome, let key = row.readable("key", as: String.self), !key.isEmpty,
          outcome != .reported || row.readable("referral_id", as: String.self) != nil
        else {
          distrusted += 1
          continue
        }
        let isThere = """
          SELECT EXISTS (SELECT 1 FROM orders WHERE key = ?1) OR EXISTS (SELECT 1 FROM settled WHERE key = ?1)
          """
        if try Bool.fetchOne(db, sql: isThere, arguments: [key]) == true { continue }
        // A row that is damaged otherwise fits no table that is strict.
        if (try? Self.insert(row, into: "settled", db)) != nil { count += 1 } else { distrusted += 1 }
      }
    }
    (salvage.settled, salvage.distrusted) = (count, distrusted)
  }

  /// Inserts a row as it was read.
  private static func insert(_ row: Row, into table: String, _ db: Database) throws {
    let columns = Array(row.columnNames)
    let marks = databaseQuestionMarks(count: columns.count)
    let values = columns.map { row[$0] as DatabaseValue }
    try db.cachedStatement(sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))")
      .execute(arguments: StatementArguments(values))
  }
}

extension ConversionReport {
  /// True if the body says what the report's other values do.
  fileprivate var isWhole: Bool {
    struct Body: Decodable {
      var conversionValue: Int64?
      var currency: String?
      var externalTransactionId: String
    }
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(body)), referralID.fitsURL else { return false }
    // Bytes that are no UTF-8 are all read as this: by them two that are damaged otherwise would be the same.
    guard !referralID.text.contains("\u{FFFD}") else { return false }
    return body.externalTransactionId == transactionID.text && body.conversionValue == value
      && body.currency == (value == nil ? nil : "EUR")
  }
}
