import Conversions
import Ledger
import Testing

/// Orders that share an ID, and what becomes of those behind an order that leaves.
@Suite(.timeLimit(.minutes(5))) struct NamesakeTests {
  @Test(arguments: [false, true]) func anIDThatIsAnotherOrdersKeyIsRepeated(keyFirst: Bool) async throws {
    // One order is reported by its key, another one by an ID that is that key.
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let orders = [makeOrder(7, id: "7"), makeOrder(8, id: "7"), makeOrder(9, id: "9")]
    for order in keyFirst ? orders : orders.reversed() { _ = try await ledger.take([.readable(order)]) }
    let repeated = try await ledger.undecided().filter(\.idIsRepeated).map(\.row.key.text)
    #expect(Set(repeated) == ["7", "8"])
    let flags = try await ledger.transaction { tx in try orders.map { try tx.isRepeated($0) } }
    #expect(flags == [true, true, false])
  }

  @Test func anIDThatComesByAnUpdateIsKnown() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.knownKeys()
    let draft = UnreadableOrder(key: OrderKey("1"), transactionID: nil, reason: .unreadable, detail: "the ID is NULL")
    _ = try await ledger.take([.unreadable(draft)])
    _ = try await ledger.take([.readable(makeOrder(1, id: "N2"))])
    let namesake = makeOrder(2, id: "N2")
    #expect(try await ledger.transaction { try $0.isRepeated(namesake) })
    _ = try await ledger.take([.readable(namesake)])
    #expect(try await ledger.undecided().map(\.idIsRepeated) == [true, true])
  }

  @Test func anUnreadableRowWakesItsNamesake() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.knownKeys()
    _ = try await ledger.take([.readable(makeOrder(1, id: "N1"))])
    try await ledger.transaction { try $0.decide(EntryID(1), .queued("r1"), at: epoch) }
    let unreadable = UnreadableOrder(
      key: OrderKey("2"), transactionID: "N1", reason: .unreadable, detail: "placed_at is NULL")
    _ = try await ledger.take([.unreadable(unreadable)])
    try await ledger.prove([.readable(makeOrder(1, id: "N1")), .unreadable(unreadable)])
    #expect(try await Set(ledger.undecided().map(\.entry.number)) == [1, 2])
  }

  @Test func anOrderThatLeavesLetsGoOfItsReferral() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
    try await ledger.transaction { tx in
      try tx.decide(EntryID(1), .queued("r1"), at: epoch)
      var behind = Decision(.waiting, reason: DecisionReason.behindOther)
      behind.referralID = ReferralID("r1")
      try tx.decide(EntryID(2), behind, at: epoch)
    }
    #expect(try await ledger.undecided().isEmpty)
    try await ledger.transaction { try $0.dismiss(EntryID(1), as: .noReferral) }
    #expect(try await ledger.undecided().map(\.entry.number) == [2])
  }
}
