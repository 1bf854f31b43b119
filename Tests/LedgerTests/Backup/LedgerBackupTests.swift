import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

/// A backup holds all that was committed before it, each transaction whole or not at all, in a file that is whole.
@Suite struct LedgerBackupTests {
  private func names(_ fixture: LedgerFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func aCopyIsConsistentWhileTransactionsRun() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let writing = Task {
      var count = 0
      while !Task.isCancelled {
        count += 2
        // Both, or neither.
        _ = try await ledger.take([.readable(makeOrder(count - 1)), .readable(makeOrder(count))])
      }
      return count
    }
    for turn in 1...5 {
      try await Task.sleep(for: .milliseconds(30))
      let before = try await ledger.undecided().count
      let path = fixture.folder.path("copy\(turn).sqlite")
      let content = try await backUp(ledger, to: path)
      #expect(content.orders >= min(before, 100) && content.orders % 2 == 0, "turn \(turn): \(content)")
      let copy = try SQLiteLedger(path: path)
      let orders = try await copy.transaction { try $0.entries(EntryFilter(outcomes: Outcome.allCases, limit: 10_000)) }
      #expect(orders.map(\.row.key.text) == (1...max(1, content.orders)).map(String.init), "turn \(turn)")
      #expect(try await copy.integrityFaults().isEmpty)
      try copy.close()
    }
    writing.cancel()
    _ = try? await writing.value
    #expect(try await ledger.integrityFaults().isEmpty)
    #expect(try !names(fixture).contains { $0.contains(".backup-") })
  }

  @Test func aFileIsReplacedByAWholeBackupOrStays() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
    try await ledger.report(makeOrder(1), entry: 1, referral: "r1")
    let path = fixture.folder.path("backup.sqlite")
    try fixture.folder.write("of yesterday", to: "backup.sqlite")
    let bytes = try #require(try await ledger.backup().readToEnd())
    do {
      let half = try BackupFile(path: path)
      try half.append(bytes.prefix(bytes.count / 2))
      let failure = #expect(throws: LedgerFailure.self) { _ = try half.finish() }
      #expect(failure?.kind == .damaged, "\(String(describing: failure))")
      let other = try BackupFile(path: path)
      try other.append(Data("no database".utf8))
      #expect(throws: LedgerFailure.self) { _ = try other.finish() }
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "of yesterday")
    let names = try names(fixture)
    #expect(names == ["backup.sqlite", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite.lock"])
    let content = try await backUp(ledger, to: path)
    #expect((content.orders, content.reports) == (2, 1) && content.lastWrite != nil)
    #expect(try mode(path) == 0o600)
    #expect(try self.names(fixture) == names, "one file without a log")
    let folder = fixture.folder.path("none/backup.sqlite")
    let failure = #expect(throws: LedgerFailure.self) { try BackupFile(path: folder) }
    #expect(failure?.kind == .noFolder)
  }

  @Test func aStoppedLedgerIsCopiedAsItIs() async throws {
    let (fixture, stopped) = (try LedgerFixture(), try TemporaryFolder("stopped"))
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    let locked = #expect(throws: LedgerFailure.self) { try SQLiteLedger.backup(ofStoppedLedger: fixture.path) }
    #expect(locked?.kind == .locked)
    // With a log that is not folded in, as after a kill.
    let path = stopped.path("ledger.sqlite")
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: path + suffix)
    }
    try stopped.write("of a process that was killed", to: "ledger.sqlite.backup-dead")
    let before = try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: path + $0)) }
    let file = try BackupFile(path: stopped.path("backup.sqlite"))
    try file.append(SQLiteLedger.backup(ofStoppedLedger: path).readToEnd() ?? Data())
    #expect(try file.finish().content.orders == 1)
    #expect(try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: path + $0)) } == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: stopped.path).sorted()
    #expect(names == ["backup.sqlite", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite.lock"])
  }

  @Test func whatIsNoLedgerNewerOrDamagedIsRefused() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    for number in 1...300 { _ = try await ledger.take([.readable(makeOrder(number))]) }
    try ledger.close()
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    func refusal() -> LedgerFailure? {
      #expect(throws: LedgerFailure.self) { try SQLiteLedger.backup(ofStoppedLedger: fixture.path) }
    }
    try sqlite(fixture.path, "INSERT INTO grdb_migrations VALUES ('99: from the future')")
    #expect(refusal()?.kind == .newer)
    try whole.write(to: URL(fileURLWithPath: fixture.path))
    try sqlite(fixture.path, "PRAGMA application_id = 1")
    #expect(refusal()?.kind == .damaged)
    var damaged = whole
    damaged.replaceSubrange(8192..<whole.count - 8192, with: Data(repeating: 0xa5, count: whole.count - 16_384))
    try damaged.write(to: URL(fileURLWithPath: fixture.path))
    #expect(refusal()?.kind == .damaged)
    try fixture.folder.write("x", to: "ledger.sqlite.rebuilding")
    #expect(refusal()?.description.contains("was interrupted") == true)
    #expect(try !names(fixture).contains { $0.contains(".backup-") })
  }

  @Test func aCopyThatIsGivenUpLeavesNothingAndTheLedgerGoesOn() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    let copying = Task { try await ledger.backup() }
    copying.cancel()
    _ = try? await copying.value
    #expect(try await ledger.take([.readable(makeOrder(2))]).count == 1)
    #expect(try !names(fixture).contains { $0.contains(".backup-") })
  }
}

/// Writes a backup of an open ledger to a file.
func backUp(_ ledger: SQLiteLedger, to path: String) async throws -> LedgerSummary {
  let file = try BackupFile(path: path)
  try await file.append(ledger.backup().readToEnd() ?? Data())
  return try file.finish().content
}
