import Conversions
import Testing

/// The result of each verdict for its order.
@Suite struct SendResultTests {
  private static let now = Timestamp(utcYear: 2026, month: 1, day: 31)
  private static let cases: [(SendVerdict, SendResult)] = [
    (.reported(detail: nil), SendResult(next: .reported, isUnknown: false, counts: true)),
    (.superseded("by another"), SendResult(next: .superseded, isUnknown: false, counts: true)),
    (.review(.rejected, "400"), SendResult(next: .review(.rejected), isUnknown: false, counts: true)),
    (.unknown("500", retryAfter: nil), SendResult(next: .again(now + .seconds(90)), isUnknown: true, counts: true)),
    (
      .unknown("500", retryAfter: .seconds(200)),
      SendResult(next: .again(now + .seconds(200)), isUnknown: true, counts: true)
    ),
    (.verify(.conflict), SendResult(next: .again(now + .seconds(90)), isUnknown: true, counts: true)),
    (
      .notDone("no route", retryAfter: nil),
      SendResult(next: .again(now + .seconds(60)), isUnknown: false, counts: false)
    ),
    (
      .notDone("429", retryAfter: .seconds(61)),
      SendResult(next: .again(now + .seconds(61)), isUnknown: false, counts: false)
    ),
    (.halt(.keyRefused, "401"), SendResult(next: .again(now), isUnknown: false, counts: false)),
    (.rematch("404"), SendResult(next: .rematch, isUnknown: false, counts: false)),
  ]

  @Test(arguments: cases) func eachVerdictHasItsResult(verdict: SendVerdict, expected: SendResult) {
    #expect(verdict.result(now: Self.now, wait: .seconds(90)).0 == expected)
  }
}
