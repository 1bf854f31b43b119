import Conversions
import Testing

@testable import Orders

/// Tests the end of a page. Keys that are equal in their own type have one letter in several cases here.
@Suite struct KeyPageTests {
  @Test(arguments: [
    ("", 3, "", nil), ("a", 3, "a", nil), ("abc", 3, "abc", nil), ("abcd", 3, "abc", "c"),
    // The limit finds `size + 1`; the last group waits for the next page, unless it is all there is.
    ("abcC", 3, "ab", "b"), ("abBb", 3, "a", "a"), ("aAaA", 3, "aA", "A"), ("aabb", 3, "a", "a"), ("aab", 3, "ab", nil),
    ("ab", 1, "a", "a"), ("aa", 1, "a", "a"),
  ])
  func endsBetweenGroups(found: String, size: Int, keys: String, last: String?) {
    var previous: Character?
    let entries = found.map { letter in
      defer { previous = letter }
      return (key: OrderKey(String(letter)), equalsPrevious: previous?.lowercased() == letter.lowercased())
    }
    let page = KeyPage(entries, size: size)
    #expect(page.keys.map(\.text).joined() == keys)
    #expect(page.last?.text == last)
  }

  @Test func sizesShrinkAtOnceAndGrowSlowly() {
    var sizing = PageSizing(max: 100)
    let first = sizing.halve()
    #expect(first && sizing.size == 50)
    sizing.note(.milliseconds(10))
    #expect(sizing.size == 56)
    sizing.note(.milliseconds(300))
    #expect(sizing.size == 56)
    sizing.note(.seconds(1))
    #expect(sizing.size == 28)
    for _ in 0..<100 { sizing.note(.zero) }
    #expect(sizing.size == 100)
    let halvings = (0..<7).map { _ in sizing.halve() }
    #expect(halvings == [true, true, true, true, true, true, false])
    #expect(sizing.size == 1)
  }

  @Test func theFirstPagesAreSmallWhereNothingIsKnownOfTheirOrders() {
    var sizing = PageSizing(max: 128, start: 16)
    #expect(sizing.size == 16)
    // Years of orders that matter no more.
    for size in [32, 64, 128, 128] {
      sizing.note(.milliseconds(10), orders: 100)
      #expect(sizing.size == size)
    }
    sizing = PageSizing(max: 128, start: 16)
    sizing.note(.milliseconds(10), orders: 1200)
    sizing.note(.milliseconds(20), orders: 2400)
    #expect(sizing.size == 32, "thousands to be looked at closely are enough")
    sizing.note(.milliseconds(20), orders: 4800)
    sizing.note(.milliseconds(10), orders: 100)
    #expect(sizing.size == 18, "slowly, once one was too much")
  }
}
