import Conversions
import Foundation
import TestHosts
import Testing

@Suite struct TimestampTests {
  @Test func printsAsFoundationDoes() {
    var random = SeededGenerator(seed: 3)
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime]
    for _ in 0..<2000 {
      let seconds = Int64.random(in: -60_000_000_000...200_000_000_000, using: &random)
      // Foundation's formatter is Julian before 1582, PostgreSQL and this are Gregorian throughout.
      guard seconds > -12_000_000_000 else { continue }
      let expected = formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
      let text = Timestamp(microseconds: seconds * 1_000_000).description
      #expect(text == expected.replacing("Z", with: ".000Z"))
    }
  }

  @Test func saturatesInsteadOfTrapping() {
    #expect(Timestamp(milliseconds: .max).microseconds == .max)
    #expect((Timestamp(microseconds: .max) + .seconds(1)).microseconds == .max)
    #expect((Timestamp(microseconds: .min) - .seconds(1)).microseconds == .min)
    _ = Timestamp(microseconds: .max) - Timestamp(microseconds: .min)
    #expect(Timestamp(microseconds: -1).milliseconds == -1)
    #expect(Timestamp(microseconds: -1000).milliseconds == -1)
    #expect(Timestamp(microseconds: 1999).milliseconds == 1)
  }

  @Test func aValueIsAsPreciseAsItIsWritten() {
    let second = PlacedAt(written: Timestamp(microseconds: 5_000_000))
    #expect(second.latest.microseconds == 5_999_999)
    #expect(PlacedAt(written: Timestamp(microseconds: 5_123_000)).latest.microseconds == 5_123_999)
    #expect(PlacedAt(written: Timestamp(microseconds: 5_123_456)).latest.microseconds == 5_123_456)
  }
}
