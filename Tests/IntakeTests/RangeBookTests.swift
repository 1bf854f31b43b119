import Conversions
import Testing

@testable import Pipeline

@Suite struct RangeBookTests {
  private let pace = RangeBook.Pace(interval: .seconds(60), rareInterval: .seconds(60))
  private let now = Timestamp(microseconds: 1_790_000_000_000_000)

  /// A restart between two pieces of a range that was cut in two must find no place twice.
  @Test func whatIsStoredBetweenTwoPiecesDoesNotOverlap() {
    let book = RangeBook([])
    guard case .read(let piece) = book.next(at: now, pace) else {
      Issue.record("nothing to read")
      return
    }
    let moment = SnapshotMoment(readAt: now, horizon: 10, end: 10)
    let page = SweepPage(
      orders: [], isWhole: true, next: "128", mark: "10", split: .init(at: "256", mark: nil), moment: moment)
    var first = book
    var stored: [Int64: SweepRange] = [:]
    for range in first.take(page, of: piece, counted: [.noReferral: 3], beganAt: now) { stored[range.number] = range }
    #expect(stored[1]?.upper == "256" && stored[1]?.mark == nil && stored[1]?.counts == [:])
    #expect(stored[2]?.lower == "256" && stored[2]?.upper == nil)
    // Begun anew, and read to its end.
    var second = RangeBook(stored.values.sorted { $0.number < $1.number })
    guard case .read(let again) = second.next(at: now, pace) else {
      Issue.record("nothing to read")
      return
    }
    #expect(again.from == nil && again.range.upper == "256")
    let whole = SweepPage(orders: [], isWhole: true, mark: "11", moment: moment)
    _ = second.take(whole, of: again, counted: [.noReferral: 5], beganAt: now)
    #expect(second.ranges.map(\.lower) == [nil, "256"])
    #expect(second.ranges[0].counts == [.noReferral: 5])
    #expect(second.ranges[0].mark == "11" && second.ranges[1].mark == nil)
  }
}
