import Conversions
import Testing

@Suite struct ZoneDoubtTests {
  private static let start = Timestamp(utcYear: 2026, month: 11, day: 28)
  private static let (hour, minute) = (Duration.seconds(3600), Duration.seconds(60))

  private static func order(_ placed: Timestamp) -> SeenOrder {
    SeenOrder(
      .readable(
        Order(
          key: OrderKey("1"), transactionID: transactionID("1"), qualifies: true,
          placedAt: PlacedAt(earliest: placed, latest: placed))))
  }

  /// Orders written every ten minutes, each read half a minute later, whose times are off by so much.
  private static func doubt(off: Duration, count: Int = 5, jitter: Duration = .zero) -> ZoneDoubt {
    var doubt = ZoneDoubt()
    doubt.observe([order(start - .seconds(86_400))], readAt: start, isWalk: true)
    for number in 1...count {
      let written = start + .seconds(600 * number)
      let placed = written + off + jitter * number
      doubt.observe(
        [order(placed), order(start - .seconds(9 * 86_400))], readAt: written + .seconds(30), isWalk: false)
    }
    return doubt
  }

  @Test(arguments: [1.0, 2, -5, -4.5, 5.5, -8, 13])
  func aZoneIsNoticedByWhatWasJustWritten(hours: Double) throws {
    let off = Duration.seconds(Int64(hours * 3600))
    #expect(Self.doubt(off: off).offset == .zero - off)
    let warning = try #require(Self.doubt(off: off).warning(at: Self.start, isLocal: true, start: nil))
    #expect(warning.contains("orders.time_zone is \(ZoneDoubt.words(off)) off"))
    #expect(warning.contains(hours > 0 ? "in the future (2026-11-28)" : "in the past (2026-11-28)"))
  }

  @Test func theRightZoneIsNotDoubted() {
    #expect(Self.doubt(off: .zero).offset == nil)
    #expect(Self.doubt(off: .zero - Self.minute * 20).offset == nil, "a checkout that took its time")
    #expect(
      Self.doubt(off: .zero - Self.hour * 5, jitter: Self.minute * 30).offset == nil, "imports, each of another age")
    #expect(Self.doubt(off: .zero - Self.hour * 5, count: 2).offset == nil)
  }

  @Test func ordersThatAreSeenAtOnceAreJudgedTogetherWhereTheyAgree() {
    func doubt(spacing: Duration) -> ZoneDoubt {
      var doubt = ZoneDoubt()
      doubt.observe([Self.order(Self.start - .seconds(86_400))], readAt: Self.start, isWalk: true)
      let placed = (0..<16).map { Self.start - Self.hour * 5 + spacing * $0 }
      doubt.observe(placed.map(Self.order), readAt: Self.start + .seconds(30), isWalk: false)
      return doubt
    }
    #expect(doubt(spacing: .zero).offset == Self.hour * 5)
    #expect(doubt(spacing: .seconds(20)).offset == Self.hour * 5)
    #expect(doubt(spacing: Self.minute * 10).offset == nil, "an import")
  }

  @Test func ordersBeforeTheStartAreJudgedAndTold() throws {
    var doubt = ZoneDoubt()
    for number in 0...3 {
      let written = Self.start + .seconds(600 * number)
      let placed = written - Self.hour * 5
      doubt.observe(
        [], passedOver: PlacedAt(earliest: placed, latest: placed), readAt: written + .seconds(30), isWalk: number == 0)
    }
    let warning = try #require(doubt.warning(at: Self.start, isLocal: false, start: Self.start))
    #expect(warning.contains("placed 5 h in the past (2026-11-28), before orders.start: none takes part"))
    #expect(warning.contains("AT TIME ZONE 'UTC'"))
  }

  @Test func rowsThatComeADayLaterAreNoMatterOfAZone() {
    #expect(Self.doubt(off: .zero - Self.hour * 24).offset == nil)
  }

  @Test func aDayIsNeitherLateNorEarlyWhileItLasts() {
    let day = PlacedAt(earliest: Self.start, latest: Self.start + .seconds(86_399))
    #expect(ZoneDoubt.lag(of: day, at: Self.start + Self.hour) == .zero)
    #expect(ZoneDoubt.lag(of: day, at: Self.start - Self.hour) == .zero - Self.hour)
    #expect(ZoneDoubt.lag(of: day, at: Self.start + .seconds(86_399) + Self.hour) == Self.hour)
  }
}
