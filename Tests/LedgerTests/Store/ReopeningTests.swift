import Conversions
import Foundation
import GRDB
import Synchronization
import TestHosts
import Testing

@testable import Ledger

/// Tests the effect of a failure of the file system, or of damage, on the connection.
@Suite struct ReopeningTests {
  private func fail(_ ledger: SQLiteLedger, _ kind: LedgerFailure.Kind) async {
    await #expect(throws: LedgerFailure.self) {
      try await ledger.transaction { _ in throw LedgerFailure(kind, "made up by a test") }
    }
  }

  @Test(arguments: [LedgerFailure.Kind.io, .permission])
  func afterAFailureOfTheFileSystemTheFileIsOpenedAnewAndItsLogFoldedIn(kind: LedgerFailure.Kind) async throws {
    let fixture = try LedgerFixture()
    try await failAndGoOn(fixture, kind)
    #expect(try await fixture.open().undecided().count == 2)
  }

  private func failAndGoOn(_ fixture: LedgerFixture, _ kind: LedgerFailure.Kind) async throws {
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    let first = try await ledger.queue
    await fail(ledger, .diskFull)
    let second = try await ledger.queue
    #expect(first === second, "a full disk is no reason to distrust what was written")
    await fail(ledger, kind)
    // Many at once: one of them opens it, and all of them see it.
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await ledger.undecided().count } }
      for try await count in group { #expect(count == 1) }
    }
    let third = try await ledger.queue
    #expect(first !== third)
    let pragmas = try await ledger.durability()
    #expect(pragmas.journalMode == "wal" && pragmas.synchronous == 2 && pragmas.lockingMode == "exclusive")
    let log = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")[.size] as? Int ?? 0
    #expect(log < 3 * 4200, "what the log held is in the ledger: \(log) bytes")
    _ = try await ledger.take([.readable(makeOrder(2))])
    #expect(throws: LedgerFailure.self, "the lock was never let go of") { try fixture.open() }
    try ledger.close()
  }

  @Test func anotherFileInItsPlaceIsNotTakenForTheLedger() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    await fail(ledger, .io)
    let aside = fixture.path + ".aside"
    try FileManager.default.moveItem(atPath: fixture.path, toPath: aside)
    await #expect(throws: LedgerFailure.self) { try await ledger.undecided() }
    #expect(!FileManager.default.fileExists(atPath: fixture.path), "an empty ledger would report everything again")
    try Data().write(to: URL(fileURLWithPath: fixture.path))
    let failure = await #expect(throws: LedgerFailure.self) { try await ledger.undecided() }
    #expect(failure?.description.contains("another file stands in the place of") == true)
    try FileManager.default.removeItem(atPath: fixture.path)
    try FileManager.default.moveItem(atPath: aside, toPath: fixture.path)
    #expect(try await ledger.undecided().count == 1)
  }

  @Test func damageIsForEverAndIsTold() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    async let damage = ledger.damage()
    await fail(ledger, .damaged)
    #expect(await damage?.kind == .damaged)
    let failure = await #expect(throws: LedgerFailure.self) { try await ledger.take([.readable(makeOrder(2))]) }
    #expect(failure?.kind == .damaged)
    #expect(failure?.description == "\(fixture.path) is damaged: made up by a test")
  }

  @Test func itsSizeIsWhatIsInUse() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let empty = try await ledger.size(foldingAbove: .max)
    _ = try await ledger.take((1...3000).map { .readable(makeOrder($0, email: "friend\($0)@example.com")) })
    let log = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")[.size] as? Int64 ?? 0
    let full = try await ledger.size(foldingAbove: .max)
    #expect(full > empty + 3000 * 100 && full > log)
    let folded = try await ledger.size(foldingAbove: full - 1)
    #expect(folded < full - log / 2, "the log was folded in")
    try await ledger.transaction { tx in
      for number in 1...3000 { try tx.dismiss(EntryID(Int64(number)), as: .noReferral) }
    }
    #expect(try await ledger.size(foldingAbove: 0) < folded / 2, "what is free is written again")
  }

  @Test func nothingIsCommittedOnceTheCheckHasFoundDamage() async throws {
    let fixture = try LedgerFixture()
    let held = Mutex<(isHolding: Bool, commits: [@Sendable () -> Void])>((false, []))
    var schedule = LedgerSchedule()
    let commit = schedule.commit
    schedule.commit = { queue, work in
      let isHeld = held.withLock { held in
        if held.isHolding { held.commits.append { commit(queue, work) } }
        return held.isHolding
      }
      if !isHeld { commit(queue, work) }
    }
    let ledger = try SQLiteLedger(path: fixture.path, lockPath: nil, schedule: schedule)
    _ = try await ledger.take([.readable(makeOrder(1))])
    #expect(try await ledger.integrityFaults().isEmpty)
    let queue = try await ledger.queue
    try await queue.writeWithoutTransaction { db in
      // Deletes an index from the schema: its pages belong to nothing any more.
      try db.execute(sql: "PRAGMA writable_schema = ON")
      try db.execute(sql: "DELETE FROM sqlite_master WHERE name = 'orders_outcome'")
      try db.execute(sql: "PRAGMA writable_schema = RESET")
    }
    held.withLock { $0.isHolding = true }
    let waiting = Task { try await ledger.take([.readable(makeOrder(2))]) }
    while held.withLock({ $0.commits.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
    #expect(try await !ledger.integrityFaults().isEmpty)
    for commit in held.withLock({ $0.commits }) { commit() }
    let failure = await #expect(throws: LedgerFailure.self) { _ = try await waiting.value }
    #expect(failure?.kind == .damaged)
    let later = await #expect(throws: LedgerFailure.self) { _ = try await ledger.take([.readable(makeOrder(3))]) }
    #expect(later?.kind == .damaged)
    #expect(try await queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM orders") } == 1)
    #expect(await ledger.damage()?.kind == .damaged, "the daemon ends")
  }
}
