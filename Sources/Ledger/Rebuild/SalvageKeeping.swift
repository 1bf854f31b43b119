import Conversions
import Foundation
import GRDB

/// Takes rows of a damaged ledger into a new one: those that are what they claim to be.
struct SalvageKeeper {
  /// Outcomes that must be kept: of what the API has or may have, and of what people decided. All else is decided anew.
  private static let kept: Set<String> = ["reported", "discarded", "review", "queued", "sending"]
  /// An order is tried some thousands of times at most.
  private static let attemptsMax: Int64 = 1_000_000
  private static let settledKept = ["reported", "discarded"]

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
    var told = 0
    let hasAll = try reading.rows(of: "settled", by: "key") {
      told += try keepSettled($0, &salvage)
    }
    let listed = Self.settledKept.compactMap(reading.settledCount).reduce(0, +)
    if !hasAll || listed > told { salvage.tables.append("settled") }
    return salvage
  }

  private func keepOrders(_ salvage: inout Salvage) throws {
    // The entries that were taken over, or counted.
    var told: Set<Int64> = []
    let entries = try reading.orders { rows in
      for row in rows {
        guard let entry = row.readable("entry", as: Int64.self) else { continue }
        let outcome = row.readable("outcome", as: String.self).flatMap(Outcome.init)
        if outcome == nil { salvage.distrusted += 1 }
        if outcome.map({ Self.kept.contains($0.rawValue) }) ?? true { told.insert(entry) }
      }
      try keep(rows, &salvage)
    }
    // Entries that must not be forgotten, as another copy of their outcome says.
    var others: Set<Int64> = []
    _ = try reading.listed("orders_outcome WHERE outcome IN ('reported', 'discarded', 'review')") { entry in
      if !told.contains(entry), entries.read.contains(entry) || !entries.holds(entry) { others.insert(entry) }
    }
    let changed = others.intersection(entries.read)
    salvage.distrusted += changed.count
    let (unreadable, overflow) = entries.count.addingReportingOverflow(others.count - changed.count)
    salvage.unreadable = overflow ? .max : unreadable
    if entries.isGivenUp { salvage.tables.append("orders") }
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
    guard reading.fact(SQLiteTransaction.forgettingKey) != nil else {
      // Without the key its hashes mean nothing.
      var isEmpty = true
      let hasAll = try reading.rows(of: "forgotten", by: "hash") {
        isEmpty = isEmpty && $0.isEmpty
      }
      if !hasAll || !isEmpty { salvage.tables.append("forgotten") }
      return
    }
    var (count, hasOther) = (0, false)
    let hasAll = try reading.rows(of: "forgotten", by: "hash") { rows in
      try writing { db in
        for row in rows {
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

  private func keep(_ rows: [Row], _ salvage: inout Salvage) throws {
    var counts = salvage
    let candidates = rows.filter { row in row.readable("outcome", as: String.self).map(Self.kept.contains) ?? false }
    try writing { db in
      try Self.keepHolds(rows, db)
      for row in candidates {
        guard let entry = row.readable("entry", as: Int64.self) else { continue }
        let found = reading.report(of: entry)
        if found == nil, !counts.tables.contains("reports") { counts.tables.append("reports") }
        let report = found.flatMap(\.self)
        let isQueued = ["queued", "sending"].contains(row.readable("outcome", as: String.self))
        // Never sent: decided anew, from the shop.
        if isQueued, report == nil { continue }
        var outcome: Outcome?
        do {
          try db.inSavepoint {
            outcome = try keep(row, report, db)
            return outcome == nil ? .rollback : .commit
          }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
          outcome = nil
        }
        switch outcome {
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

  /// Takes in one order with its report and its sends.
  ///
  /// - Returns: Its outcome; nil where its content isn't what its digest says, or its report isn't its own.
  private func keep(_ row: Row, _ report: Row?, _ db: Database) throws -> Outcome? {
    let entry = row.readable("entry", as: Int64.self) ?? 0
    try Self.insert(row, into: "orders", db)
    try db.execute(
      sql: "UPDATE orders SET decide_at = NULL WHERE entry = ? AND outcome <> 'review'", arguments: [entry])
    if let report { try Self.insert(report, into: "reports", db) }
    // A damaged count, which no order ever reaches, must not be counted up from.
    try db.execute(
      sql: "UPDATE reports SET attempts = max(0, min(attempts, ?)) WHERE entry = ?",
      arguments: [Self.attemptsMax, entry])
    // A single damaged bit would say that nothing can have been done.
    try db.execute(
      sql: "UPDATE reports SET is_unknown = 1 WHERE entry = ? AND first_sent_at IS NOT NULL", arguments: [entry])
    if row.readable("outcome", as: String.self) == "sending" {
      // As versions before 7 of the tables stored it.
      try db.execute(
        sql: "UPDATE orders SET outcome = 'queued', send_at = decided_at WHERE entry = ?", arguments: [entry])
      try db.execute(sql: "UPDATE reports SET is_sending = 1 WHERE entry = ?", arguments: [entry])
    }
    guard let order = try? transactionOf(db).entry(EntryID(entry)),
      order.row.digest.bits == row.readable("digest", as: Int64.self), !order.row.key.text.isEmpty
    else { return nil }
    // An order that a person decided is kept where the index of keys can't tell: at worst it is no order of the shop's.
    let isDecided = [.discarded, .review].contains(order.outcome)
    guard reading.isUnder(order.row.key.text, entry) ?? isDecided else { return nil }
    guard let frozen = order.frozen else {
      // One that was sent, and of whose report nothing is left, is known by its referral alone.
      guard report == nil, order.outcome != .reported || order.referralID != nil else { return nil }
      if let referral = order.referralID, !reading.holds(referral, entry) {
        // With a wrong referral it would keep another order from its own.
        if order.outcome == .reported { return nil }
        try db.execute(sql: "UPDATE orders SET referral_id = NULL, claims = 0 WHERE entry = ?", arguments: [entry])
      }
      return order.outcome
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
    for attempt in reading.attempts(of: entry) {
      guard let number = attempt.readable("number", as: Int64.self), (1...Self.attemptsMax).contains(number) else {
        continue
      }
      // For people to look at: nothing rests on it.
      try? db.inSavepoint {
        try Self.insert(attempt, into: "attempts", db)
        return .commit
      }
    }
    return order.outcome
  }

  /// - Returns: The number of those that must not be forgotten and were taken over, or counted.
  private func keepSettled(_ rows: [Row], _ salvage: inout Salvage) throws -> Int {
    var (count, distrusted, told) = (salvage.settled, salvage.distrusted, 0)
    try writing { db in
      for row in rows {
        let outcome = row.readable("outcome", as: String.self).flatMap(Outcome.init)
        if let outcome, !Self.settledKept.contains(outcome.rawValue) { continue }
        told += 1
        if let key = row.readable("key", as: String.self), let outcome, !key.isEmpty,
          let decidedAt = row.readable("decided_at", as: Int64.self),
          outcome != .reported || row.readable("referral_id", as: String.self) != nil,
          // Under another's key it would keep that one from being reported.
          reading.isSettled(key, outcome.rawValue, decidedAt) ?? (outcome == .discarded)
        {
          let isThere = """
            SELECT EXISTS (SELECT 1 FROM orders WHERE key = ?1) OR EXISTS (SELECT 1 FROM settled WHERE key = ?1)
            """
          if try Bool.fetchOne(db, sql: isThere, arguments: [key]) == true { continue }
          // A row that is damaged otherwise fits no table that is strict.
          if (try? Self.insert(row, into: "settled", db)) != nil {
            count += 1
            continue
          }
        }
        distrusted += 1
      }
    }
    (salvage.settled, salvage.distrusted) = (count, distrusted)
    return told
  }

  /// Inserts a row as it was read; columns that this version has not are left out.
  private static func insert(_ row: Row, into table: String, _ db: Database) throws {
    let known = Set(try db.columns(in: table).map(\.name))
    let columns = row.columnNames.filter(known.contains)
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
