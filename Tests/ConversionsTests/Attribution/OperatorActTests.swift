import Conversions
import Testing

/// The orders that obey an operator's act on their ID.
@Suite struct OperatorActTests {
  private static let time = Timestamp(milliseconds: 1_765_000_000_000)
  private static let mine = ActedOrder(key: OrderKey("1"), placedFrom: time, buyer: 7)
  private static let other = ActedOrder(key: OrderKey("2"), placedFrom: time + .seconds(60), buyer: 8)
  private static let lost = ActedOrder(key: OrderKey("1").lost(by: EntryID(1)), placedFrom: time, buyer: 7)

  /// The kind of the act, the order that it was made for, the order that has its ID, true if the first is known under
  /// another ID, and true if the second obeys.
  @Test(arguments: [
    (OperatorAct.Kind.discard, mine as ActedOrder?, mine, false, true),
    (.discard, mine, mine, true, true),
    (.discard, mine, other, false, true),
    (.discard, mine, other, true, false),
    (.discard, nil, other, false, true),
    (.discard, mine, lost, true, true),
    (.hold, mine, lost, true, false),
    (.hold, mine, lost, false, true),
    // A buyer or a time alone may have been corrected.
    (.hold, mine, ActedOrder(key: OrderKey("1"), placedFrom: time, buyer: 8), true, true),
    (.hold, mine, ActedOrder(key: OrderKey("1"), placedFrom: time + .seconds(1), buyer: 7), true, true),
    (.hold, mine, ActedOrder(key: OrderKey("1"), placedFrom: nil, buyer: nil), true, true),
  ])
  func anActGoesWithTheIDUnlessItsOrderHasAnother(
    kind: OperatorAct.Kind, order: ActedOrder?, shown: ActedOrder, isElsewhere: Bool, binds: Bool
  ) {
    let act = OperatorAct(kind: kind, reason: nil, actor: "alice (uid 1000)", actedAt: Self.time, order: order)
    #expect(act.binds(shown, isElsewhere: isElsewhere) == binds)
  }
}
