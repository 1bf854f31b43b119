import Conversions
import Foundation
import Ledger
import TestHosts
import Testing

/// A new ledger in the place of a damaged one: nothing that was reported or discarded is open again where it could be
/// read, and nothing is taken over that is not what it was.
@Suite struct LedgerRebuildTests {
  /// More than are asked for at once.
  private static let count = 700
  private static let turns = ProcessInfo.processInfo.environment["CORRUPTIONS"].flatMap { Int($0) } ?? 40

  private func email(_ number: Int) -> String { "friend\(number)@example.com" }

  /// Even orders are reported but 8 (unknown) and 10 (in review after a send), 3 is discarded, a person is forgotten,
  /// and little is left of 20.
  private func makeLedger(_ fixture: LedgerFixture) async throws {
    let ledger = try fixture.open()
    try await ledger.adopt(source: "shop", mapping: "all")
    for number in 1...Self.count {
      let order = makeOrder(number, email: email(number))
      _ = try await ledger.take([.readable(order)])
      let referral = makeReferral("r\(number)", email: email(number))
      _ = try await ledger.transaction { try $0.record(referral, seenAt: epoch) }
      guard number % 2 == 0 else { continue }
      guard number != 8, number != 10 else {
        try await send(
          ledger, order, .init(next: number == 8 ? .again(epoch) : .review(.gaveUp), isUnknown: true, counts: true))
        continue
      }
      try await ledger.report(order, entry: Int64(number), referral: "r\(number)")
    }
    _ = try await ledger.forget(EmailAddress(normalForm: "nobody@example.com"), isTrial: false, at: epoch)
    try ledger.close()
    try sqlite(
      fixture.path,
      """
      UPDATE orders SET outcome = 'discarded', claims = 0, decide_at = NULL WHERE entry = 3;
      UPDATE orders SET decided_at = decided_at - 10 WHERE entry = 20;
      """)
    let again = try fixture.open()
    _ = try await again.transaction { try $0.removeFinished(decidedBefore: epoch, from: nil, limit: 10) }
    try again.close()
  }

  private func send(_ ledger: SQLiteLedger, _ order: Order, _ result: SendResult) async throws {
    let entry = EntryID(Int64(order.key.text) ?? 0)
    try await ledger.transaction { tx in
      try tx.decide(entry, .queued("r\(order.key)"), at: epoch)
      let number = try tx.beginSend(entry, makeReport(order, "r\(order.key)"), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: nil, verdict: "unknown", detail: "reset")
      try tx.finishSend(entry, makeReport(order, "r\(order.key)"), attempt: attempt, result: result, at: epoch)
    }
  }

  private func rebuild(_ path: String) async throws -> Salvage {
    let rebuild = try await LedgerRebuild(path: path, now: SystemClock().now)
    let draft = try rebuild.draft(timeout: .seconds(30))
    try rebuild.replace(with: draft, at: SystemClock().now)
    return draft.salvage
  }

  /// Checks that what was taken over is what it was.
  private func judge(_ path: String, _ salvage: Salvage, _ what: String) async throws {
    let ledger = try SQLiteLedger(path: path)
    let orders = try await ledger.transaction { try $0.entries(EntryFilter(outcomes: Outcome.allCases)) }
    for order in orders {
      // No digest holds the key. An order is known by its ID, too.
      let key = String(order.orderID.dropFirst("order_".count))
      // Skips an order whose ID is damaged, which a person decided: it belongs to no known order.
      if [.discarded, .review].contains(order.outcome), !["3", "10"].contains(key) { continue }
      let expected: Outcome = key == "3" ? .discarded : key == "8" ? .queued : key == "10" ? .review : .reported
      #expect(order.outcome == expected, "\(what): \(key)")
      guard expected != .discarded else { continue }
      if order.outcome == .review, order.referralID == nil { continue }
      #expect(order.referralID?.text == "r\(key)", "\(what)")
      if let report = order.frozen?.report {
        var order = makeOrder(Int(key) ?? 0)
        let whole = makeReport(order, "r\(key)")
        order.metadata = nil
        #expect(report == whole || (key != "8" && report == makeReport(order, "r\(key)")), "\(what)")
      }
      #expect(key != "8" || order.frozen?.hasUnknownOutcome == true, "\(what)")
    }
    #expect(orders.count == salvage.reported + salvage.discarded + salvage.review + salvage.unfinished, "\(what)")
    if salvage.isComplete {
      #expect((salvage.reported, salvage.discarded, salvage.review) == (Self.count / 2 - 3, 1, 1), "\(what): untold")
    }
    #expect(try await ledger.integrityFaults().isEmpty, "\(what)")
    let intake = try await ledger.transaction { try $0.intakeProgress() }
    #expect(intake.quietUntil != nil && !intake.isStartFixed && intake.caughtUpAt == nil)
    try ledger.close()
  }

  private func names(_ fixture: LedgerFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
  }

  @Test func aWholeLedgerIsToldToBeWholeAndGivesUpAllThatMatters() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    do {
      let rebuild = try await LedgerRebuild(path: fixture.path, now: SystemClock().now)
      #expect(rebuild.damage == nil)
      let draft = try rebuild.draft(timeout: .seconds(30))
      #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
      let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
      #expect(failure?.kind == .locked)
      try rebuild.replace(with: draft, at: SystemClock().now)
      var expected = Salvage()
      (expected.reported, expected.discarded, expected.review) = (Self.count / 2 - 3, 1, 1)
      (expected.unfinished, expected.settled, expected.forgotten) = (1, 1, 1)
      #expect(draft.salvage == expected)
    }
    let kept = try #require(try names(fixture).first { $0.contains(".damaged-") })
    #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.folder.path(kept))) == before)
    for name in [kept, "ledger.sqlite"] {
      let mode = try FileManager.default.attributesOfItem(atPath: fixture.folder.path(name))[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    #expect(try names(fixture) == ["ledger.sqlite", kept, "ledger.sqlite.lock"])
    let ledger = try fixture.open()
    try await ledger.adopt(source: "shop", mapping: "all")
    await #expect(throws: LedgerFailure.self) { try await ledger.adopt(source: "another shop", mapping: "all") }
    // Little was left of it before, and is again.
    let known = makeOrder(20, email: email(20))
    #expect(
      try await ledger.take([.readable(known), .readable(makeOrder(4, email: email(4)))]) == [.unchanged, .unchanged])
    #expect(
      try await ledger.forget(EmailAddress(normalForm: "nobody@example.com"), isTrial: true, at: epoch).wasForgotten)
  }

  /// The new ledger knows of no rules before its own, by which these were never to be sent unasked.
  @Test func whatWaitsAsTheRulesChangedWaitsForAnOperatorThen() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    try await ledger.adopt(source: "shop", mapping: "all")
    _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
    try await ledger.transaction { tx in
      var held = Decision(.held, reason: DecisionReason.rulesChanged)
      (held.referralID, held.claims) = (ReferralID("r1"), true)
      try tx.decide(EntryID(1), held, at: epoch)
      try tx.decide(EntryID(2), .queued("r2"), at: epoch)
    }
    try ledger.close()
    _ = try await rebuild(fixture.path)
    let again = try SQLiteLedger(path: fixture.path)
    let acts = try await again.transaction { tx in try ["order_1", "order_2"].map { try tx.act(on: $0) } }
    #expect(acts[0]?.kind == .hold && acts[0]?.reason == DecisionReason.rulesChanged && acts[1] == nil)
  }

  @Test func randomDamageNeverBringsBackWhatItWasNot() async throws {
    let (fixture, pristine) = (try LedgerFixture(), try TemporaryFolder("pristine"))
    try await makeLedger(fixture)
    try FileManager.default.copyItem(atPath: fixture.path, toPath: pristine.path("l"))
    let seed = Corruption.seed
    var random = SeededGenerator(seed: seed)
    var (salvaged, whole) = (0, 0)
    for turn in 1...Self.turns {
      let folder = try TemporaryFolder("rebuild")
      let path = folder.path("ledger.sqlite")
      try FileManager.default.copyItem(atPath: pristine.path("l"), toPath: path)
      let corruption = Corruption.random(using: &random)
      for _ in 0..<Int.random(in: 1...4, using: &random) { try corruption.strike(path, using: &random) }
      let damaged = try Data(contentsOf: URL(fileURLWithPath: path))
      let what = "seed \(seed), turn \(turn): \(corruption)"
      do {
        let salvage = try await rebuild(path)
        try await judge(path, salvage, what)
        #expect(!salvage.isComplete || salvage.settled == 1, "\(what): untold")
        salvaged += salvage.reported
        whole += salvage.isComplete ? 1 : 0
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let kept = try #require(names.first { $0.contains(".damaged-") && !$0.hasSuffix("-wal") }, "\(what)")
        #expect(try Data(contentsOf: folder.url.appendingPathComponent(kept)) == damaged, "\(what)")
      } catch let failure as LedgerFailure {
        #expect(failure.kind == .newer, "\(what): \(failure)")
      }
    }
    print("rebuilt: seed \(seed), \(salvaged) of \(Self.turns * (Self.count / 2 - 3)) reported, \(whole) complete")
    #expect(salvaged > Self.turns * Self.count / 10)
  }

  @Test(arguments: ["middle", "root", "half", "first page", "empty"])
  func whatIsLeftIsReadWhereverTheDamageIs(place: String) async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    switch place {
    case "middle":
      // As many pages as are never all of an index.
      let start = bytes.count / 8192 * 4096 - 8192
      bytes.replaceSubrange(start..<(start + 20_480), with: Data(repeating: 0xa5, count: 20_480))
    case "root": bytes.replaceSubrange(16_384..<24_576, with: Data(repeating: 0xa5, count: 8192))
    case "half": bytes = bytes.prefix(bytes.count / 2)
    case "empty": bytes = Data("not a database at all, whatever its name says".utf8)
    default: bytes.replaceSubrange(0..<4096, with: Data(count: 4096))
    }
    try bytes.write(to: URL(fileURLWithPath: fixture.path))
    let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
    #expect(failure?.kind == .damaged)
    let salvage = try await rebuild(fixture.path)
    try await judge(fixture.path, salvage, place)
    #expect(!salvage.isComplete)
    let isAllLost = place == "empty" || place == "first page"
    if isAllLost { #expect(salvage.tables == ["orders", "settled", "forgotten", "acts"] && salvage.reported == 0) }
    if place == "middle" { #expect(salvage.reported > Self.count / 3) }
    print("rebuilt after damage of \(place): \(salvage)")
  }

  /// Damages of the schema alone, and the tables that are told as unreadable for each.
  private static let schemas: [(change: String, tables: [String])] = [
    ("UPDATE sqlite_master SET type = NULL, tbl_name = 7, sql = 'x' WHERE name = 'orders_outcome'", []),
    ("UPDATE sqlite_master SET sql = replace(sql, 'referral_id', 'refersal_id') WHERE name = 'orders'", ["orders"]),
    ("UPDATE sqlite_master SET sql = replace(sql, 'referral_id', 'Referral_id') WHERE name = 'reports'", ["reports"]),
    (
      "UPDATE sqlite_master SET sql = replace(sql, 'forgotten_at', 'forgetten_at') WHERE name = 'forgotten'",
      ["forgotten"]
    ),
    ("UPDATE sqlite_master SET sql = replace(sql, 'sent_id', 'sort_id') WHERE name = 'settled'", ["settled"]),
    ("DELETE FROM sqlite_master WHERE tbl_name = 'forgotten'", ["forgotten"]),
  ]

  @Test(arguments: schemas) func aDamagedSchemaIsNotBelieved(damage: (change: String, tables: [String])) async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try sqlite(fixture.path, "PRAGMA writable_schema = ON; \(damage.change)")
    let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
    #expect(failure?.kind == .damaged)
    let salvage = try await rebuild(fixture.path)
    try await judge(fixture.path, salvage, damage.change)
    #expect(salvage.tables == damage.tables)
    // Without their reports those that were reported are known by their referrals.
    #expect(salvage.reported == (damage.tables == ["orders"] ? 0 : Self.count / 2 - 3))
    #expect(salvage.unfinished == (["orders", "reports"].contains(damage.tables.first) ? 0 : 1))
    #expect(salvage.settled == (damage.tables == ["settled"] ? 0 : 1))
    #expect(salvage.forgotten == (damage.tables == ["forgotten"] ? 0 : 1))
  }

  @Test func operatorsWordsOutliveTheOldLedger() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    let said = OperatorAct(kind: .discard, reason: "fraud", actor: "alice (uid 1000)", actedAt: epoch)
    let ledger = try fixture.open()
    // Of the second the row is not there: the shop may make it again.
    try await ledger.transaction { tx in for id in ["order_5", "order_9999"] { try tx.setAct(said, on: id) } }
    try ledger.close()
    try sqlite(fixture.path, "UPDATE orders SET outcome = 'discarted' WHERE entry = 4")
    let salvage = try await rebuild(fixture.path)
    #expect(!salvage.tables.contains("acts"))
    let again = try fixture.open()
    for id in ["order_5", "order_9999"] {
      var found = try await again.transaction { try $0.act(on: id) }
      #expect((found?.order != nil) == (id == "order_5"))
      found?.order = nil
      #expect(found == said)
    }
    try again.close()
  }

  @Test func bytesThatAreNoTextAreNobodysName() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try sqlite(
      fixture.path,
      """
      DROP TRIGGER reports_are_frozen;
      UPDATE orders SET referral_id = CAST(x'7231fe' AS TEXT) WHERE entry = 12;
      UPDATE reports SET referral_id = CAST(x'7231fd' AS TEXT) WHERE entry = 12;
      """)
    let salvage = try await rebuild(fixture.path)
    try await judge(fixture.path, salvage, "two names")
    #expect(salvage.distrusted == 1 && salvage.reported == Self.count / 2 - 4)
  }

  /// Values that no version stores, and one by which an order's content is another.
  private static let unbelieved = [
    "UPDATE orders SET outcome = 'discarted' WHERE entry = 3", "UPDATE settled SET outcome = 'reporteb'",
    "UPDATE orders SET email = 'other@example.com' WHERE entry = 4", "UPDATE settled SET key = ''",
  ]

  @Test(arguments: unbelieved) func whatCannotBeBelievedIsCounted(change: String) async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try sqlite(fixture.path, change)
    let salvage = try await rebuild(fixture.path)
    try await judge(fixture.path, salvage, change)
    #expect(salvage.distrusted == 1 && salvage.tables.isEmpty && salvage.unreadable == 0)
    #expect(salvage.reported + salvage.discarded + salvage.settled == Self.count / 2 - 2)
  }

  @Test(arguments: 0...3) func anInterruptedRebuildStopsEveryStartAndIsGoneOnWith(step: Int) async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    // With a log that holds what the file doesn't.
    let wal = fixture.path + "-wal"
    do {
      let ledger = try fixture.open()
      try await ledger.report(makeOrder(5, email: email(5)), entry: 5, referral: "r5")
      for path in [fixture.path, wal] { try FileManager.default.copyItem(atPath: path, toPath: path + ".copy") }
      try ledger.close()
    }
    for path in [fixture.path, wal] {
      try? FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: path + ".copy", toPath: path)
    }
    let aside = "ledger.sqlite.damaged-20260101T000000Z"
    try fixture.folder.write(aside + "\n", to: "ledger.sqlite.rebuilding")
    let asidePath = fixture.folder.path(aside)
    if step > 0 { try FileManager.default.moveItem(atPath: wal, toPath: asidePath + "-wal") }
    if step > 1 { try FileManager.default.moveItem(atPath: fixture.path, toPath: asidePath) }
    if step > 2 { try FileManager.default.copyItem(atPath: asidePath, toPath: fixture.path) }
    let failure = #expect(throws: LedgerFailure.self) { try fixture.open() }
    #expect(failure?.kind == .damaged)
    let salvage = try await rebuild(fixture.path)
    #expect(salvage.reported == Self.count / 2 - 2, "with what the log held")
    #expect(try names(fixture) == ["ledger.sqlite", aside, aside + "-wal", "ledger.sqlite.lock"])
    let ledger = try fixture.open()
    #expect(try await ledger.entry(5)?.outcome == .reported)
  }

  @Test func aNewerLedgerIsNotTouched() async throws {
    let fixture = try LedgerFixture()
    try await makeLedger(fixture)
    try sqlite(fixture.path, "INSERT INTO grdb_migrations VALUES ('99: from the future')")
    let path = fixture.path
    let failure = await #expect(throws: LedgerFailure.self) {
      _ = try await LedgerRebuild(path: path, now: SystemClock().now)
    }
    #expect(failure?.kind == .newer && failure?.description.hasPrefix(fixture.path) == true)
    #expect(try names(fixture) == ["ledger.sqlite", "ledger.sqlite.lock"])
  }
}
