import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

/// A backup in a ledger's place: nothing that may have been sent since is sent as if it never was, and what people
/// decided since stands.
@Suite struct LedgerRestoreTests {
  private static let now = epoch + .seconds(86_400)

  /// A ledger with a backup: 1 is reported in both, 2 since, 3 may have been, 4 is discarded and 5 held since, 6 was
  /// held before and is released since. Closed.
  private func makeLedger(_ fixture: LedgerFixture, forgetting: String? = nil) async throws {
    let ledger = try fixture.open()
    try await ledger.adopt(source: "shop", mapping: "all")
    for number in 1...6 {
      _ = try await ledger.take([.readable(makeOrder(number, email: "friend\(number)@example.com"))])
    }
    try await ledger.report(order(1), entry: 1, referral: "r1")
    try await ledger.transaction { try $0.setAct(Self.act(.hold, at: epoch), on: "order_6") }
    _ = try await ledger.forget(EmailAddress(normalForm: "early@example.com"), isTrial: false, at: epoch)
    #expect(try await backUp(ledger, to: fixture.folder.path("backup.sqlite")).reports == 1)
    try await ledger.report(order(2), entry: 2, referral: "r2")
    try await ledger.transaction { tx in
      try tx.decide(EntryID(3), .queued("r3"), at: epoch)
      _ = try tx.beginSend(EntryID(3), makeReport(order(3), "r3"), at: epoch)
      try tx.setAct(Self.act(.discard, at: epoch + .seconds(5)), on: "order_4")
      try tx.setAct(Self.act(.hold, at: epoch + .seconds(6)), on: "order_5")
      try tx.setAct(nil, on: "order_6")
    }
    if let forgetting {
      _ = try await ledger.forget(EmailAddress(normalForm: forgetting), isTrial: false, at: epoch)
    }
    try ledger.close()
    // Makes its last write a known one.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: Double((epoch + .seconds(3600)).milliseconds) / 1000)],
      ofItemAtPath: fixture.path)
  }

  private func order(_ number: Int) -> Order { makeOrder(number, email: "friend\(number)@example.com") }

  private static func act(_ kind: OperatorAct.Kind, at time: Timestamp) -> OperatorAct {
    OperatorAct(kind: kind, reason: "fraud", actor: "alice (uid 1000)", actedAt: time)
  }

  private func restore(
    _ fixture: LedgerFixture, from name: String = "backup.sqlite", apply: Bool = true
  ) async throws -> (draft: LedgerRestore.Draft, failure: String?) {
    let source = try BackupSource(path: fixture.folder.path(name))
    let restore = try await LedgerRestore(path: fixture.path, source: source, now: Self.now)
    let draft = try await restore.draft(timeout: .seconds(30), at: Self.now)
    if apply { try restore.replace(with: draft, at: Self.now) }
    return (draft, restore.formerFailure)
  }

  private func names(_ fixture: LedgerFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
  }

  private func contents(_ fixture: LedgerFixture) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try names(fixture) where name != "ledger.sqlite.lock" {
      found[name] = try Data(contentsOf: URL(fileURLWithPath: fixture.folder.path(name)))
    }
    return found
  }

  @Test func whatWasSentSinceIsToldAndTheRestoredLedgerWaitsForIt() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let before = try contents(fixture)
    let plan = try await restore(fixture, apply: false)
    #expect(try contents(fixture) == before)
    let since = try #require(plan.draft.since)
    #expect((since.sent.count, since.sent.first) == (1, ["order_2"]))
    #expect((since.unclear.count, since.unclear.first) == (1, ["order_3"]))
    #expect(
      since.acts.map(\.transactionID) == ["order_4", "order_5"] && since.acts.map(\.act.kind) == [.discard, .hold])
    #expect((since.released.count, since.released.first) == (1, ["order_6"]))
    #expect((plan.draft.content.orders, plan.draft.content.reports) == (6, 1) && plan.failure == nil)

    let done = try await restore(fixture)
    #expect(done.draft.since == since)
    let aside = "ledger.sqlite.replaced-20251207T054640Z"
    #expect(try names(fixture) == ["backup.sqlite", "ledger.sqlite", "ledger.sqlite.lock", aside].sorted())
    let after = try contents(fixture)
    #expect(after[aside] == before["ledger.sqlite"] && after["backup.sqlite"] == before["backup.sqlite"])
    for name in [aside, "ledger.sqlite"] {
      let mode = try FileManager.default.attributesOfItem(atPath: fixture.folder.path(name))[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    let ledger = try fixture.open()
    try await ledger.adopt(source: "shop", mapping: "all")
    let (progress, orders) = try await ledger.transaction { tx in
      (try tx.intakeProgress(), try tx.entries(EntryFilter(outcomes: Outcome.allCases)))
    }
    // A quarter of an hour and the longest request after the former ledger's last write.
    #expect(progress.quietUntil == epoch + .seconds(3600 + 930) && progress.caughtUpAt == nil)
    #expect(progress.unknownTime == epoch...epoch + .seconds(3600))
    #expect(orders.map(\.outcome.rawValue).sorted().first == "reported" && orders.count == 6)
    #expect(orders.filter { $0.outcome == .reported }.map(\.orderID) == ["order_1"])
    let acts = try await ledger.transaction { tx in try (4...6).map { try tx.act(on: "order_\($0)")?.kind } }
    #expect(acts == [.discard, .hold, .hold])
    let due = try await ledger.transaction { try $0.undecided(at: epoch, limit: 10).map(\.orderID) }
    #expect(due.contains("order_4") && due.contains("order_5"), "they are decided by it")
    #expect(try await ledger.integrityFaults().isEmpty)
  }

  @Test func aPersonWhoWasForgottenSinceStaysForgotten() async throws {
    let fixture = try LedgerFixture()
    let person = "friend2@example.com"
    try await makeLedger(fixture, forgetting: person)
    #expect(try contents(fixture)["backup.sqlite"]?.contains(person) == true)
    let since = try #require(try await restore(fixture).draft.since)
    #expect((since.forgotten, since.keptBack, since.unknowable) == (1, 0, 0))
    #expect(try contents(fixture)["ledger.sqlite"]?.contains(person) == false)
    let ledger = try fixture.open()
    for text in [person, "early@example.com"] {
      #expect(try await ledger.forget(EmailAddress(normalForm: text), isTrial: true, at: epoch).wasForgotten, "\(text)")
    }
  }

  @Test func peopleOfAnotherKeyAndThoseWithAnOpenOrderAreTold() async throws {
    let fixture = try LedgerFixture()
    let first = try fixture.open()
    _ = try await first.take([.readable(order(1))])
    try await first.transaction { try $0.decide(EntryID(1), .queued("r1"), at: epoch) }
    _ = try await backUp(first, to: fixture.folder.path("without.sqlite"))
    _ = try await first.forget(EmailAddress(normalForm: "early@example.com"), isTrial: false, at: epoch)
    _ = try await backUp(first, to: fixture.folder.path("with.sqlite"))
    try first.close()
    try FileManager.default.removeItem(atPath: fixture.path)
    let second = try fixture.open()
    _ = try await second.forget(EmailAddress(normalForm: "friend1@example.com"), isTrial: false, at: epoch)
    try second.close()
    let other = try #require(try await restore(fixture, from: "with.sqlite", apply: false).draft.since)
    #expect((other.forgotten, other.unknowable) == (0, 1), "its key is another")
    let since = try #require(try await restore(fixture, from: "without.sqlite").draft.since)
    #expect((since.forgotten, since.keptBack, since.unknowable) == (1, 1, 0), "its order is queued")
    let ledger = try fixture.open()
    let trace = try await ledger.forget(EmailAddress(normalForm: "friend1@example.com"), isTrial: true, at: epoch)
    #expect(trace.wasForgotten && trace.orders.count == 1)
  }

  @Test func aDamagedLedgerIsReplacedAndSaidToTellNothing() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try Data(repeating: 0xa5, count: 50_000).write(to: URL(fileURLWithPath: fixture.path))
    let done = try await restore(fixture)
    #expect(done.draft.since == nil && done.failure?.hasPrefix(fixture.path) == true, "\(done.failure ?? "-")")
    #expect(try await fixture.open().entry(1)?.outcome == .reported)
  }

  @Test func withoutALedgerAllUpToNowIsUnknown() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try FileManager.default.removeItem(atPath: fixture.path)
    let done = try await restore(fixture)
    #expect(done.draft.since == nil && done.failure == nil)
    #expect(done.draft.unknown == epoch...Self.now && done.draft.quietUntil == Self.now + .seconds(930))
    #expect(try names(fixture) == ["backup.sqlite", "ledger.sqlite", "ledger.sqlite.lock"])
  }

  @Test func aCopyOfTheFilesIsABackup() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(7))])
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: fixture.path + suffix, toPath: fixture.folder.path("cold.sqlite") + suffix)
    }
    try ledger.close()
    #expect(try await restore(fixture, from: "cold.sqlite").draft.content.orders == 7)
  }

  @Test func whatCannotBeTakenIsRefusedWithNothingChanged() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let backup = try #require(try contents(fixture)["backup.sqlite"])
    try fixture.folder.write("", to: "empty.sqlite")
    try fixture.folder.write("not a database at all", to: "text.sqlite")
    try backup.prefix(backup.count / 2).write(to: URL(fileURLWithPath: fixture.folder.path("half.sqlite")))
    for name in ["newer", "other"] {
      try backup.write(to: URL(fileURLWithPath: fixture.folder.path(name + ".sqlite")))
    }
    try sqlite(fixture.folder.path("newer.sqlite"), "INSERT INTO grdb_migrations VALUES ('99: from the future')")
    try sqlite(
      fixture.folder.path("other.sqlite"),
      "UPDATE facts SET value = replace(value, 'shop', 'warehouse') WHERE name LIKE 'source%'")
    let before = try contents(fixture)
    let expected: [(String, LedgerFailure.Kind)] = [
      ("empty", .damaged), ("text", .damaged), ("half", .damaged), ("newer", .newer), ("other", .otherSource),
    ]
    for (name, kind) in expected {
      let failure = await #expect(throws: LedgerFailure.self) { _ = try await restore(fixture, from: name + ".sqlite") }
      #expect(failure?.kind == kind, "\(name): \(String(describing: failure))")
      #expect(failure?.description.hasPrefix(fixture.folder.path(name + ".sqlite")) == true, "\(name)")
    }
    let missing = #expect(throws: LedgerFailure.self) { try BackupSource(path: fixture.folder.path("none.sqlite")) }
    #expect(missing?.kind == .noFolder)
    #expect(throws: LedgerFailure.self) { try BackupSource(path: fixture.folder.path) }
    #expect(try contents(fixture) == before)
    let ledger = try fixture.open()
    let locked = await #expect(throws: LedgerFailure.self) { _ = try await restore(fixture) }
    #expect(locked?.kind == .locked)
    try ledger.close()
  }

  @Test(arguments: 0...3) func anInterruptedRestoreStopsEveryStartAndIsGoneOnWith(step: Int) async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let aside = "ledger.sqlite.replaced-20260101T000000Z"
    let (asidePath, former) = (fixture.folder.path(aside), try Data(contentsOf: URL(fileURLWithPath: fixture.path)))
    try Data("a log".utf8).write(to: URL(fileURLWithPath: fixture.path + "-wal"))
    try fixture.folder.write(aside + "\n", to: "ledger.sqlite.rebuilding")
    if step > 0 { try FileManager.default.moveItem(atPath: fixture.path + "-wal", toPath: asidePath + "-wal") }
    if step > 1 { try FileManager.default.moveItem(atPath: fixture.path, toPath: asidePath) }
    if step > 2 {
      try FileManager.default.copyItem(atPath: fixture.folder.path("backup.sqlite"), toPath: fixture.path)
    }
    let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
    #expect(failure?.kind == .damaged && failure?.description.contains("a restore, of it was interrupted") == true)
    let done = try await restore(fixture)
    #expect(done.draft.since?.sent.first == ["order_2"], "of the former one, wherever it lies")
    #expect(
      try names(fixture) == ["backup.sqlite", "ledger.sqlite", "ledger.sqlite.lock", aside, aside + "-wal"].sorted())
    #expect(try Data(contentsOf: URL(fileURLWithPath: asidePath)) == former)
    #expect(try await fixture.open().entry(2)?.outcome != .reported)
  }

  @Test func anInterruptedRestoreMayEndAsARebuild() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let aside = "ledger.sqlite.replaced-20260101T000000Z"
    try fixture.folder.write(aside + "\n", to: "ledger.sqlite.rebuilding")
    try FileManager.default.moveItem(atPath: fixture.path, toPath: fixture.folder.path(aside))
    do {
      let rebuild = try await LedgerRebuild(path: fixture.path, now: Self.now)
      try rebuild.replace(with: try rebuild.draft(timeout: .seconds(30)), at: Self.now)
    }
    #expect(try await fixture.open().entry(2)?.outcome == .reported, "of the former ledger")
  }
}

extension Data {
  fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}
