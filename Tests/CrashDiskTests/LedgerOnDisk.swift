import Conversions
import CrashDisk
import GRDB
import TestHosts

@testable import Ledger

/// The real ledger on a disk, and what must be in it.
///
/// Each transaction has a number, takes in orders, changes some of those that are there, and sets a range's mark to its
/// number. So one that is there in part shows.
struct LedgerOnDisk {
  /// The content of a ledger: the range's mark, and each order's total by its key.
  struct Content: Equatable, Sendable {
    var mark: Int?
    var totals: [String: String] = [:]
  }

  private struct Refusal: Error {}

  static let epoch = Timestamp(milliseconds: 1_765_000_000_000)

  let disk: CrashDisk
  let folder: TemporaryFolder
  /// The number of pages in the WAL after which they are copied to the database. Few, so that this is often under way
  /// when the power fails.
  var checkpointPages = 12
  /// The contents that a ledger opened now may have: more than one where a commit failed halfway.
  private(set) var possible = [Content()]
  private(set) var number = 0
  private(set) var committed = 0
  private(set) var doubtful = 0
  private(set) var refused = 0
  private(set) var lastFailure: LedgerFailure?

  init(_ disk: CrashDisk) throws {
    self.disk = disk
    folder = try TemporaryFolder("crash")
    CrashDisk.install()
  }

  func open() throws -> SQLiteLedger {
    try SQLiteLedger(path: disk.path("ledger.sqlite"), lockPath: folder.path("lock"))
  }

  /// Reads all that a ledger holds, and SQLite's own opinion of it.
  private func read(_ ledger: SQLiteLedger) async throws -> (content: Content, faults: [String]) {
    try await ledger.transaction { [checkpointPages] transaction in
      guard let db = (transaction as? SQLiteTransaction)?.db else { return (Content(), ["no SQLite"]) }
      var content = Content(mark: try transaction.ranges().first?.mark.flatMap { Int($0) })
      for row in try Row.fetchAll(db, sql: "SELECT key, total FROM orders") { content.totals[row[0]] = row[1] }
      try db.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
      return (content, try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" })
    }
  }

  /// Compares what a ledger holds with what it may hold, and takes it for what is there; says what is wrong.
  mutating func check(_ ledger: SQLiteLedger) async throws -> String? {
    let (content, faults) = try await read(ledger)
    guard faults.isEmpty else { return "\(faults)" }
    guard possible.contains(content) else { return "\(content), not \(possible)" }
    // For good: what an open ledger shows is durable, whatever it was before.
    possible = [content]
    return nil
  }

  /// Runs one transaction; false where the disk failed it.
  mutating func change(_ ledger: SQLiteLedger, using dice: inout SeededGenerator) async throws -> Bool {
    number += 1
    let before = possible[0]
    var after = before
    after.mark = number
    for _ in 0..<Int.random(in: 1...6, using: &dice) {
      let isNew = before.totals.isEmpty || !dice.oneIn(3)
      let key = isNew ? "\(after.totals.count + 1)" : before.totals.keys.sorted().randomElement(using: &dice) ?? "1"
      after.totals[key] = "\(number)"
    }
    let orders = after.totals.filter { before.totals[$0.key] != $0.value }.keys.sorted()
      .map { Self.order($0, total: "\(number)", metadataLength: Int.random(in: 0...900, using: &dice)) }
    let isRefused = dice.oneIn(6)
    do {
      try await ledger.transaction { [number] transaction in
        for order in orders { _ = try transaction.record(.readable(order), seenAt: Self.epoch, isBackfill: false) }
        try transaction.setRange(SweepRange(number: 1, mark: "\(number)"))
        if isRefused { throw Refusal() }
      }
      possible = [after]
      committed += 1
      return true
    } catch is Refusal {
      refused += 1
      return true
    } catch let failure as LedgerFailure {
      lastFailure = failure
      // Whole or not at all. One that was to be refused can't be there in any way.
      if !isRefused { possible.append(after) }
      doubtful += 1
      return false
    }
  }

  private static func order(_ key: String, total: String, metadataLength: Int) -> Order {
    guard let id = TransactionID("order_\(key)") else { fatalError("not an ID") }
    return Order(
      key: OrderKey(key), transactionID: id, email: EmailAddress("friend\(key)@example.com"), externalSourceID: nil,
      total: .amount(total, currency: "EUR"), status: "paid", qualifies: true,
      placedAt: PlacedAt(earliest: epoch, latest: epoch),
      metadata: #"{"note":"\#(String(repeating: "x", count: metadataLength))"}"#)
  }
}
