import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

/// A ledger that was damaged while no daemon ran: refused with a plain line, or whole; never a crash.
@Suite struct CorruptionTests {
  private static let count = ProcessInfo.processInfo.environment["CORRUPTIONS"].flatMap { Int($0) } ?? 60
  private static let orders = 300

  /// A ledger with orders in all walks of life, as a killed daemon leaves it: with a log that is not folded in.
  private func makeLedger(_ fixture: LedgerFixture, intoFolder folder: String) async throws {
    let ledger = try fixture.open()
    for number in 1...Self.orders {
      let order = makeOrder(number, email: "friend\(number)@example.com")
      _ = try await ledger.take([.readable(order)])
      _ = try await ledger.transaction {
        try $0.record(makeReferral("r\(number)", email: "friend\(number)@example.com"), seenAt: epoch)
      }
      if number % 2 == 0 { try await ledger.report(order, entry: Int64(number), referral: "r\(number)") }
      // Half of it in the ledger's file, half in its log.
      if number == Self.orders / 2 { _ = try await ledger.size(foldingAbove: 0) }
    }
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: folder + "/ledger.sqlite" + suffix)
    }
  }

  /// Everything that reads what a loop or a command would.
  private func use(_ ledger: SQLiteLedger) async throws -> [LedgerOrder] {
    let known = try await ledger.knownKeys()
    #expect(known.mayHoldOrder(KeyHash.of("1")) || !known.mayHoldOrder(KeyHash.of("1")))
    return try await ledger.transaction { tx in
      _ = (try tx.outcomeCounts(), try tx.ranges(), try tx.intakeProgress(), try tx.mirrorProgress())
      _ = (
        try tx.referralCounts(), try tx.knownReferrals(limit: 3, seenBefore: epoch),
        try tx.nextToSend(at: epoch, seenUpTo: epoch, limit: 10), try tx.sendingHalt()
      )
      for number in 1...Self.orders {
        let order = makeOrder(number, email: "friend\(number)@example.com")
        _ = (try tx.identify(.readable(order)), try tx.holder(of: ReferralID("r\(number)"), except: nil))
        _ = try tx.referrals(sharing: order.email, nil)
        _ = (try tx.attempts(of: EntryID(Int64(number))), try tx.candidates(of: EntryID(Int64(number))))
      }
      _ = try tx.undecided(at: epoch, limit: 100)
      _ = try tx.removeFinished(decidedBefore: epoch + .seconds(1), from: nil, limit: 20)
      return try tx.entries(EntryFilter(outcomes: Outcome.allCases))
    }
  }

  /// SQLite needs neither the kind nor the table of an index that it made itself.
  @Test(arguments: ["tbl_name = x'ff'", "tbl_name = NULL", "type = x'ff'", "type = NULL", "sql = 5", "name = 5"])
  func aSchemaOfOtherKindsIsRefused(change: String) async throws {
    let (fixture, folder) = (try LedgerFixture(), try TemporaryFolder("schema"))
    try await makeLedger(fixture, intoFolder: folder.path)
    let path = folder.path("ledger.sqlite")
    try sqlite(
      path, "PRAGMA writable_schema = ON; UPDATE sqlite_master SET \(change) WHERE name = 'sqlite_autoindex_orders_1'")
    let failure = #expect(throws: LedgerFailure.self) { try SQLiteLedger(path: path) }
    #expect(failure?.kind == .damaged && failure?.description.contains(path) == true)
  }

  @Test func randomDamageIsRefusedOrDoesNoHarm() async throws {
    let (fixture, pristine) = (try LedgerFixture(), try TemporaryFolder("pristine"))
    try await makeLedger(fixture, intoFolder: pristine.path)
    let seed = Corruption.seed
    var random = SeededGenerator(seed: seed)
    var tally: [String: Int] = [:]
    for turn in 1...Self.count {
      let folder = try TemporaryFolder("corrupt")
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(
          atPath: pristine.path("ledger.sqlite" + suffix), toPath: folder.path("ledger.sqlite" + suffix))
      }
      let isLog = Bool.random(using: &random)
      let corruption = Corruption.random(using: &random)
      try corruption.strike(folder.path("ledger.sqlite" + (isLog ? "-wal" : "")), using: &random)
      let what = "seed \(seed), turn \(turn): \(corruption) of the \(isLog ? "log" : "file")"
      do {
        let orders = try await use(SQLiteLedger(path: folder.path("ledger.sqlite")))
        tally[isLog ? "log, whole" : "file, whole", default: 0] += 1
        for order in orders where order.outcome == .reported {
          #expect(order.referralID?.text == "r\(order.row.key.text)", "\(what)")
        }
      } catch let failure as LedgerFailure {
        tally[isLog ? "log, refused" : "file, refused", default: 0] += 1
        #expect(failure.kind == .damaged || failure.kind == .newer, "\(what): \(failure)")
        #expect(!failure.description.contains("\n") && failure.description.contains("ledger"), "\(what)")
      }
    }
    print("corruptions of a ledger: seed \(seed), \(tally.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })")
    #expect(tally["log, whole"] ?? 0 > 0, "a torn log is cut where it is torn")
    #expect(tally["file, refused"] ?? 0 > 0)
  }
}
