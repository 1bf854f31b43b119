import Testing

@testable import Pipeline

/// Loops that are stuck, told from those that rest.
@Suite struct StallWatchTests {
  private static let loop = LoopProgress.Loop(marks: 7)

  /// Looks at a loop every ten seconds for a time; returns the time after which it counts as stuck.
  private func stuckAfter(
    _ time: Duration, _ name: WatchedLoop = .readingOrders, _ loop: (_ at: Duration) -> LoopProgress.Loop
  ) -> Duration? {
    var (watch, uptime) = (StallWatch(), Duration.zero)
    while uptime < time {
      if watch.look([name: loop(uptime)], at: uptime) == [name] { return uptime }
      uptime += .seconds(10)
    }
    return nil
  }

  @Test(arguments: [
    (WatchedLoop.readingOrders, 600), (.listening, 600), (.readingReferrals, 600), (.decidingOrders, 600),
    (.delivery, 600), (.removingEntries, 1800), (.lookingAtReported, 1800),
  ])
  func aLoopThatStaysInOneStepIsStuckAfterItsDeadline(name: WatchedLoop, seconds: Int) {
    #expect(stuckAfter(.seconds(7200), name) { _ in Self.loop } == .seconds(seconds))
    #expect(name.deadline == .seconds(seconds))
    // One that rests, and one that goes on just before the deadline, are alive.
    #expect(stuckAfter(.seconds(86_400), name) { _ in LoopProgress.Loop(marks: 7, rests: 1) } == nil)
    #expect(
      stuckAfter(.seconds(86_400), name) {
        LoopProgress.Loop(marks: UInt64($0.components.seconds) / UInt64(seconds - 10))
      } == nil)
  }

  @Test func eachLoopHasADeadlineOfTenMinutesAtLeast() {
    #expect(WatchedLoop.allCases.count == 7 && WatchedLoop.allCases.allSatisfy { $0.deadline >= .seconds(600) })
  }

  @Test func oneThatIsStuckIsToldBesideOthersThatGoOn() {
    var (watch, uptime) = (StallWatch(), Duration.zero)
    var stuck: [WatchedLoop] = []
    while stuck.isEmpty, uptime < .seconds(3600) {
      uptime += .seconds(10)
      stuck = watch.look(
        [.delivery: LoopProgress.Loop(marks: UInt64(uptime.components.seconds)), .decidingOrders: Self.loop], at: uptime
      )
    }
    #expect(stuck == [.decidingOrders])
  }

  /// A host that was asleep, or a process that was stopped, kept every loop from going on.
  @Test func aGapBetweenTwoLooksIsNoTimeOfTheLoops() {
    var watch = StallWatch()
    #expect(watch.look([.delivery: Self.loop], at: .seconds(10)).isEmpty)
    #expect(watch.look([.delivery: Self.loop], at: .seconds(90_000)).isEmpty)
    #expect(watch.look([.delivery: Self.loop], at: .seconds(90_010)).isEmpty)
  }

  @Test func aLoopThatGoesOnAgainIsForgiven() {
    var (watch, uptime) = (StallWatch(), Duration.zero)
    while watch.look([.delivery: Self.loop], at: uptime).isEmpty { uptime += .seconds(10) }
    #expect(watch.look([.delivery: LoopProgress.Loop(marks: 8)], at: uptime + .seconds(10)).isEmpty)
    #expect(watch.look([:], at: uptime + .seconds(20)).isEmpty)
  }
}
