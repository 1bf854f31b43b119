import Conversions
import Testing

/// The order that goes on where of several with one ID a single row is left.
@Suite struct NamesakeRuleTests {
  /// The survivor, the others, and the keeper, by their numbers: a negative one is over.
  @Test(arguments: [
    (2, [], 2), (2, [3], 2), (2, [1], 1), (3, [1, 2], 1), (3, [2, 1], 2), (-2, [1], 2), (-2, [-1], 2), (2, [-3], 3),
    (3, [1, -2], 2), (2, [-4, -1], 4),
  ])
  func theOneThatIsOverGoesOnElseTheOldest(survivor: Int64, gone: [Int64], keeper: Int64) {
    let namesakes = gone.map(namesake)
    #expect(namesake(survivor).keeper(among: namesakes).entry == EntryID(keeper))
  }

  @Test(arguments: [("A-1", "A-1", true), ("A-1", "A-2", false), (nil, "A-2", true)])
  func aRowMayBeTheOrderOfAKnownID(known: String?, shown: String, mayBe: Bool) {
    let row = OrderRow.unreadable(
      UnreadableOrder(key: OrderKey("1"), transactionID: shown, reason: .unreadable, detail: ""))
    #expect(row.mayBe(known) == mayBe)
    let bare = OrderRow.unreadable(UnreadableOrder(key: OrderKey("1"), reason: .unreadable, detail: ""))
    #expect(bare.mayBe(known), "its ID can't be read")
  }

  private func namesake(_ number: Int64) -> Namesake {
    Namesake(entry: EntryID(abs(number)), key: OrderKey("\(abs(number))"), isOver: number < 0)
  }
}
