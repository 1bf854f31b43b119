import Conversions
import Foundation
import Glibc
import TestHosts
import Testing

@testable import Ledger

/// The file's own promises: durability, one owner, refusal of what isn't ours.
@Suite struct SQLiteLedgerTests {
  @Test func commitsAreDurableAndTheFileIsOurs() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let pragmas = try await ledger.durability()
    #expect(pragmas.journalMode == "wal")
    #expect(pragmas.synchronous == 2, "FULL")
    #expect(pragmas.lockingMode == "exclusive")
    let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let wal = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")
    #expect(wal[.posixPermissions] as? Int == 0o600)
    #expect(!FileManager.default.fileExists(atPath: fixture.path + "-shm"))
  }

  @Test func aSecondOwnerIsRefusedAndALaterOneIsNot() async throws {
    let fixture = try LedgerFixture()
    var first: SQLiteLedger? = try fixture.open()
    #expect(throws: LedgerFailure.self) { try fixture.open() }
    do {
      _ = try fixture.open()
    } catch let failure as LedgerFailure {
      #expect(failure.kind == .locked)
    }
    try first?.close()
    first = nil
    _ = try fixture.open()
  }

  @Test func whatWasCommittedIsThereAgain() async throws {
    let fixture = try LedgerFixture()
    let order = makeOrder(1)
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(order)])
      try await ledger.transaction { try $0.setRange(SweepRange(number: 1, mark: "p1")) }
      try ledger.close()
    }
    let again = try fixture.open()
    #expect(try await again.undecided().map(\.row) == [.readable(order)])
    #expect(try await again.transaction { try $0.ranges().first?.mark } == "p1")
    #expect(try await again.integrityFaults().isEmpty)
  }

  @Test func aTransactionThatThrowsLeavesNothing() async throws {
    let ledger = try LedgerFixture().open()
    struct Failure: Error {}
    await #expect(throws: Failure.self) {
      try await ledger.transaction { tx in
        _ = try tx.record(.readable(makeOrder(1)), seenAt: epoch, isBackfill: false)
        try tx.setRange(SweepRange(number: 1, mark: "p2"))
        throw Failure()
      }
    }
    #expect(try await ledger.undecided().isEmpty)
    #expect(try await ledger.transaction { try $0.ranges().first?.mark } == nil)
  }

  @Test func aNewerLedgerIsLeftUntouched() async throws {
    let fixture = try LedgerFixture()
    try fixture.open().close()
    try sqlite(fixture.path, "INSERT INTO grdb_migrations VALUES ('999: from the future')")
    let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
    #expect(failure?.kind == .newer)
    #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
  }

  @Test func aNewerLedgerThatWasKilledKeepsItsLogToo() async throws {
    let (fixture, killed) = (try LedgerFixture(), try LedgerFixture())
    let ledger = try fixture.open()
    try await ledger.transaction {
      try ($0 as? SQLiteTransaction)?.execute("INSERT INTO grdb_migrations VALUES ('999: from the future')")
    }
    var before: [Data] = []
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: killed.path + suffix)
      before.append(try Data(contentsOf: URL(fileURLWithPath: killed.path + suffix)))
    }
    #expect(#expect(throws: LedgerFailure.self) { try killed.open() }?.kind == .newer)
    let after = try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: killed.path + $0)) }
    #expect(after == before)
  }

  @Test func aFileThatIsNoLedgerIsRefused() async throws {
    let fixture = try LedgerFixture()
    try Data("this is not a database, but a letter to my aunt".utf8).write(to: URL(fileURLWithPath: fixture.path))
    #expect(#expect(throws: LedgerFailure.self) { try fixture.open() }?.kind == .damaged)

    let other = try LedgerFixture()
    try sqlite(other.path, "CREATE TABLE somebody_elses (x)")
    #expect(#expect(throws: LedgerFailure.self) { try other.open() }?.kind == .damaged)
  }

  @Test func aMissingFolderIsSaidPlainly() throws {
    let failure = #expect(throws: LedgerFailure.self) { try SQLiteLedger(path: "/nonexistent/ledger.sqlite") }
    #expect(failure?.kind == .noFolder)
    #expect(failure?.description.contains("the folder of /nonexistent/ledger.sqlite is not there") == true)
  }

  @Test func itBelongsToOneShop() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    try await ledger.adopt(source: "a")
    try await ledger.adopt(source: "b")
    _ = try await ledger.take([.readable(makeOrder(1))])
    try await ledger.adopt(source: "b")
    let failure = await #expect(throws: LedgerFailure.self) { try await ledger.adopt(source: "c") }
    #expect(failure?.kind == .otherSource)
  }

  @Test func aCopyIsWholeAndNeedsTheLock() async throws {
    let fixture = try LedgerFixture()
    let target = try TemporaryFolder("copy")
    #expect(try SQLiteLedger.copy(path: fixture.path, intoFolder: target.path) == nil)
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(makeOrder(1))])
      let failure = #expect(throws: LedgerFailure.self) {
        try SQLiteLedger.copy(path: fixture.path, intoFolder: target.path)
      }
      #expect(failure?.kind == .locked)
      try ledger.close()
    }
    let copied = try #require(try SQLiteLedger.copy(path: fixture.path, intoFolder: target.path))
    #expect(try await SQLiteLedger(path: copied).undecided().count == 1)
  }
}
