import Conversions
import Ledger
import Testing

/// The transaction ID is the order; its key only says where its row is read.
@Suite(.timeLimit(.minutes(5))) struct OrderIdentityTests {
  private func ledger(_ rows: OrderRow...) async throws -> SQLiteLedger {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.knownKeys()
    _ = try await ledger.take(rows)
    return ledger
  }

  /// Asks about everything that is to be asked, of a shop with these rows.
  private func ask(_ ledger: SQLiteLedger, _ rows: [OrderRow]) async throws -> [Bool] {
    let shown = Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0) })
    return try await ledger.transaction { tx in
      try tx.repeatedIDs(limit: 10).map { try tx.resolve($0, shown: shown, at: epoch) }
    }
  }

  @Test func aKeyThatIsUsedAgainIsAnotherOrder() async throws {
    let ledger = try await ledger(.readable(makeOrder(1, id: "A")))
    #expect(try await ledger.take([.readable(makeOrder(1, email: "new3@example.com", id: "B"))]) == [.new])
    let (old, new) = (try #require(try await ledger.entry(1)), try #require(try await ledger.entry(2)))
    #expect(old.row.key.isLost && old.row.transactionID == "A" && old.row.key.shown == "1 (gone, #1)")
    #expect(new.row.key == OrderKey("1") && new.row.transactionID == "B" && !new.idIsRepeated)
    #expect(try await Set(ledger.undecided().map(\.entry.number)) == [1, 2])
  }

  @Test func whatWasReportedStaysThatWhenItsKeyIsUsedAgain() async throws {
    let order = makeOrder(1, id: "A")
    let ledger = try await ledger(.readable(order))
    try await ledger.report(order)
    _ = try await ledger.take([.readable(makeOrder(1, email: "bob@example.com", id: "B"))])
    #expect(try await ledger.entry(1)?.outcome == .reported)
    #expect(try await ledger.entry(2)?.outcome == .waiting)
    // Its row comes back elsewhere: the same order, which is not sent again.
    _ = try await ledger.take([.readable(makeOrder(7, id: "A"))])
    #expect(try await ledger.entry(1)?.row.key == OrderKey("7"))
    #expect(try await ledger.entry(1)?.outcome == .reported)
    #expect(try await ledger.entry(3) == nil)
    #expect(try await ledger.undecided().map(\.entry.number) == [2])
  }

  @Test func aKeyThatRetentionRemovedAndIsUsedAgainIsAnotherOrder() async throws {
    let order = makeOrder(1, id: "A")
    let ledger = try await ledger(.readable(order))
    try await ledger.report(order)
    _ = try await ledger.transaction { tx in
      _ = try tx.record(makeReferral("r1", .converted), seenAt: epoch)
      return try tx.removeFinished(decidedBefore: epoch + .seconds(1), from: nil, limit: 10).removed
    }
    #expect(try await ledger.entry(1) == nil)
    #expect(try await ledger.take([.readable(makeOrder(1, email: "bob@example.com", id: "B"))]) == [.new])
    #expect(try await ledger.entry(2)?.row.transactionID == "B")
    _ = try await ledger.take([.readable(makeOrder(9, id: "A"))])
    let back = try #require(try await ledger.entry(1))
    #expect(back.outcome == .reported && back.row.key == OrderKey("9") && back.frozen != nil)
  }

  @Test(arguments: [true, false]) func aRowMadeAgainTakesThePlaceOfTheOneThatIsGone(isAskedTwice: Bool) async throws {
    let ledger = try await ledger(.readable(makeOrder(1, id: "N", qualifies: false)))
    try await ledger.transaction { try $0.decide(EntryID(1), Decision(.notQualifying), at: epoch) }
    let again = OrderRow.readable(makeOrder(2, id: "N", total: "2600"))
    _ = try await ledger.take([again])
    let unproven = try await ledger.transaction { try $0.repeatedIDs(limit: 10) }
    #expect(unproven.map { Set($0.keys) } == [[OrderKey("1"), OrderKey("2")]])
    #expect(try await ledger.undecided().map(\.idIsUnproven) == [true])
    #expect(try await ask(ledger, [again]) == [false])
    let order = try #require(try await ledger.entry(1))
    #expect(order.row == again && !order.idIsRepeated && !order.idIsUnproven)
    #expect(try await ledger.entry(2) == nil)
    #expect(try await ledger.undecided().map(\.entry.number) == [1])
    if isAskedTwice { #expect(try await ask(ledger, [again]) == []) }
    #expect(try await ledger.take([again]) == [.unchanged])
  }

  @Test func theRowThatIsLeftIsTheOrderWhicheverItIs() async throws {
    let first = OrderRow.readable(makeOrder(1, id: "N"))
    let ledger = try await ledger(first, .readable(makeOrder(2, id: "N")))
    #expect(try await ask(ledger, [first]) == [false])
    #expect(try await ledger.entry(1)?.row == first)
    #expect(try await ledger.entry(2) == nil)
    #expect(try await ledger.undecided().first { $0.entry == EntryID(1) }?.idIsRepeated == false)
  }

  @Test func whatMayHaveBeenSentKeepsItsEntry() async throws {
    let order = makeOrder(1, id: "N")
    let ledger = try await ledger(.readable(order))
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      let number = try tx.beginSend(EntryID(1), makeReport(order), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: nil, httpStatus: nil, verdict: "unknown", detail: nil)
      try tx.finishSend(
        EntryID(1), makeReport(order), attempt: attempt,
        result: SendResult(next: .again(epoch), isUnknown: true, counts: true), at: epoch)
    }
    let again = OrderRow.readable(makeOrder(2, id: "N"))
    _ = try await ledger.take([again])
    _ = try await ask(ledger, [again])
    let kept = try #require(try await ledger.entry(1))
    #expect(kept.row.key == OrderKey("2") && kept.outcome == .queued && kept.frozen?.hasUnknownOutcome == true)
    #expect(try await ledger.entry(2) == nil)
  }

  @Test func twoRowsThatAreBothThereAreForAPersonUntilOneIsGone() async throws {
    let rows = [OrderRow.readable(makeOrder(1, id: "N")), .readable(makeOrder(2, id: "N"))]
    let ledger = try await ledger(rows[0], rows[1])
    #expect(try await ask(ledger, rows) == [false])
    #expect(
      try await ledger.undecided().map { [$0.idIsRepeated, $0.idIsUnproven] } == [[true, false], [true, false]])
    try await ledger.transaction { tx in
      for entry in 1...2 { try tx.decide(EntryID(Int64(entry)), Decision(review: .idRepeated, "two"), at: epoch) }
    }
    #expect(try await ask(ledger, rows) == [], "it is known")
    try await ledger.transaction { try $0.questionRepeatedIDs() }
    #expect(try await ask(ledger, rows) == [false])
    #expect(try await ledger.undecided().isEmpty)
    try await ledger.transaction { try $0.questionRepeatedIDs() }
    #expect(try await ask(ledger, [rows[1]]) == [false])
    let undecided = try await ledger.undecided()
    #expect(undecided.map(\.entry.number) == [1] && undecided.first?.row == rows[1])
  }

  @Test func anOrderThatIsQueuedWaitsForTheShopsWord() async throws {
    let ledger = try await ledger(.readable(makeOrder(1, id: "N")))
    try await ledger.settleCatchUp()
    try await ledger.transaction { try $0.decide(EntryID(1), .queued("r1"), at: epoch) }
    _ = try await ledger.take([.readable(makeOrder(2, id: "N"))])
    let sendable = try await ledger.transaction { try $0.nextToSend(at: epoch, seenUpTo: epoch, limit: 9) }
    #expect(sendable.isEmpty)
    #expect(try await ledger.entry(1)?.outcome == .queued)
  }

  @Test(arguments: [0, 1, 2]) func timesThatAMigrationMovedAreNoOtherOrder(known: Int) async throws {
    var order = makeOrder(1, email: known == 0 ? "ana@example.com" : nil, external: known == 1 ? "lead_1" : nil)
    let ledger = try await ledger(.readable(order))
    try await ledger.report(order)
    for seconds in [-1, 3600, 86_400] {
      order.placedAt = PlacedAt(earliest: epoch + .seconds(seconds), latest: epoch + .seconds(seconds))
      #expect(try await ledger.take([.readable(order)]) == [.changed])
      #expect(try await ledger.entry(1)?.outcome == .reported)
    }
  }

  @Test func anotherTimeWithoutABuyerToCompareIsAnotherOrder() async throws {
    let order = makeOrder(1, email: nil)
    let ledger = try await ledger(.readable(order))
    try await ledger.report(order)
    #expect(try await ledger.take([.readable(makeOrder(1, placed: epoch + .seconds(200_000)))]) == [.reused])
  }

  @Test func anIDThatCantBeReadForAWhileIsStillTheSameOrder() async throws {
    let ledger = try await ledger(.readable(makeOrder(1, id: "N")))
    let unreadable = UnreadableOrder(key: OrderKey("1"), transactionID: nil, reason: .unreadable, detail: "22P02")
    #expect(
      try await ledger.take([.unreadable(unreadable), .readable(makeOrder(1, id: "N"))]) == [.changed, .changed])
    #expect(try await ledger.entry(1)?.row.transactionID == "N")
    #expect(try await ledger.entry(2) == nil)
  }
}
