import Conversions
import Ledger
import Testing

/// Records that intake and the mirror bring, and the orders that they wake.
@Suite struct IntakeRecordsTests {
  @Test func aRowComesBackAsItWasTaken() async throws {
    let ledger = try LedgerFixture().open()
    var bare = makeOrder(2, email: nil, total: nil)
    bare.total = .unmapped
    bare.metadata = nil
    bare.status = nil
    let unreadable = UnreadableOrder(key: OrderKey("3"), transactionID: nil, reason: .unreadable, detail: "22P02")
    let rows: [OrderRow] = [
      .readable(makeOrder(1, external: "lead_1")), .readable(bare), .unreadable(unreadable),
      .readable(makeOrder(4, total: nil)),
    ]
    #expect(try await ledger.take(rows) == [.new, .new, .new, .new])
    let kept = try await ledger.undecided().map(\.row)
    #expect(Set(kept) == Set(rows))
    #expect(try await ledger.take(rows) == [.unchanged, .unchanged, .unchanged, .unchanged])
  }

  @Test func aChangedRowIsDecidedAgainAndAnUnchangedOneIsNot() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    try await ledger.transaction { try $0.decide(EntryID(1), Decision(.waiting), at: epoch) }
    #expect(try await ledger.undecided().isEmpty)
    _ = try await ledger.take([.readable(makeOrder(1))])
    #expect(try await ledger.undecided().isEmpty)
    #expect(try await ledger.take([.readable(makeOrder(1, qualifies: false))]) == [.changed])
    let woken = try await ledger.undecided()
    #expect(woken.count == 1 && woken.first?.hadQualified == true)
  }

  @Test func aRepeatedOrderIDThatIsProvenWakesBoth() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take([.readable(makeOrder(1, id: "A-1"))])
    try await ledger.transaction { try $0.decide(EntryID(1), Decision(.waiting), at: epoch) }
    _ = try await ledger.take([.readable(makeOrder(2, id: "A-1"))])
    try await ledger.proveRepeatedIDs(makeOrder(1, id: "A-1"), makeOrder(2, id: "A-1"))
    #expect(try await ledger.undecided().map(\.idIsRepeated) == [true, true])
  }

  @Test func anIDThatComesBackAsAnotherOrderIsReviewed() async throws {
    let ledger = try LedgerFixture().open()
    let order = makeOrder(1)
    _ = try await ledger.take([.readable(order)])
    try await ledger.report(order)
    _ = try await ledger.take([.readable(makeOrder(1, email: "bob@example.com", placed: epoch + .seconds(5)))])
    #expect(try await ledger.entry(1)?.reason == "id_reused")
    #expect(try await ledger.entry(1)?.outcome == .review)
  }

  @Test func aChangedMappingIsNoReuse() async throws {
    let ledger = try LedgerFixture().open()
    try await ledger.adopt(source: "s", mapping: "placed_at=created_at")
    _ = try await ledger.take([.readable(makeOrder(1))])
    try await ledger.report(makeOrder(1))
    try await ledger.adopt(source: "s", mapping: "placed_at=paid_at")
    let other = makeOrder(1, email: "bob@example.com", placed: epoch + .seconds(5))
    #expect(try await ledger.take([.readable(other)]) == [.changed])
    #expect(try await ledger.entry(1)?.outcome == .reported)
    try await ledger.transaction { try $0.endMappingChange() }
    let third = makeOrder(1, email: "eve@example.com", placed: epoch + .seconds(9))
    #expect(try await ledger.take([.readable(third)]) == [.reused])
  }

  @Test func aReferralWakesTheOrdersItSharesAKeyWith() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take([
      .readable(makeOrder(1)), .readable(makeOrder(2, email: "bob@example.com", external: "lead_2")),
      .readable(makeOrder(3, email: "eve@example.com")),
    ])
    try await ledger.transaction { tx in
      for number in 1...3 { try tx.decide(EntryID(Int64(number)), Decision(.waiting), at: epoch) }
    }
    #expect(
      try await ledger.transaction { try $0.record(makeReferral("r1", email: " ANA@example.com"), seenAt: epoch) })
    #expect(try await ledger.undecided().map(\.entry.number) == [1])
    try await ledger.transaction { try $0.decide(EntryID(1), Decision(.waiting), at: epoch) }
    _ = try await ledger.transaction {
      try $0.record(makeReferral("r2", email: nil, external: "lead_2"), seenAt: epoch)
    }
    #expect(try await ledger.undecided().map(\.entry.number) == [2])
    let again = try await ledger.transaction {
      try $0.record(makeReferral("r2", email: nil, external: "lead_2"), seenAt: epoch)
    }
    #expect(!again, "seen again as it was")
  }

  @Test func whatOnlyWatchingCanTellIsKept() async throws {
    let ledger = try LedgerFixture().open()
    let kept = try await ledger.transaction { tx in
      _ = try tx.record(makeReferral("r1", .clicked), seenAt: epoch)
      _ = try tx.record(makeReferral("r1", .expired), seenAt: epoch + .seconds(60))
      _ = try tx.record(makeReferral("r1", .expired), seenAt: epoch + .seconds(120))
      return try tx.referral(ReferralID("r1"))
    }
    #expect(kept?.openSeenAt == epoch && kept?.expiredSeenAt == epoch + .seconds(60))
    #expect(kept?.seenAt == epoch + .seconds(120))
  }

  @Test func ordersThatWaitForASweepAreWokenByOne() async throws {
    let ledger = try LedgerFixture().open()
    _ = try await ledger.take([.readable(makeOrder(1))])
    try await ledger.transaction {
      try $0.decide(EntryID(1), Decision(.waiting, reason: DecisionReason.mirrorIncomplete), at: epoch)
    }
    #expect(try await ledger.undecided().isEmpty)
    try await ledger.transaction { try $0.wakeOrdersBehindMirror() }
    #expect(try await ledger.undecided().count == 1)
  }
}

extension SQLiteLedger {
  /// Takes an order's entry through a send that worked.
  func report(_ order: Order, entry: Int64 = 1, referral: String = "r1") async throws {
    try await transaction { tx in
      try tx.decide(EntryID(entry), .queued(referral), at: epoch)
      let number = try tx.beginSend(EntryID(entry), makeReport(order, referral), at: epoch)
      let attempt = Attempt(
        number: number, startedAt: epoch, duration: .milliseconds(20), httpStatus: 201, verdict: "reported", detail: nil
      )
      try tx.finishSend(
        EntryID(entry), makeReport(order, referral), attempt: attempt,
        result: SendResult(next: .reported, isUnknown: false, counts: true), at: epoch
      )
    }
  }
}
