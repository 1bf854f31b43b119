import Testing

@testable import Pipeline

/// Loops that are stuck, told from those that rest.
@Suite struct StallWatchTests {
  private static let loop = LoopProgress.Loop(marks: 7)

  /// Looks at a loop every ten seconds for a time; returns the time after which it counts as stuck.
  private func stuckAfter(_ time: Duration, _ loop: (_ at: Duration) -> LoopProgress.Loop) -> Duration? {
    var (watch, uptime) = (StallWatch(), Duration.zero)
    while uptime < time {
      if watch.look(["reading orders": loop(uptime)], at: uptime) == ["reading orders"] { return uptime }
      uptime += .seconds(10)
    }
    return nil
  }

  @Test func aLoopThatStaysInOneStepIsStuckAfterItsDeadline() {
    #expect(stuckAfter(.seconds(3600)) { _ in Self.loop } == StallWatch.deadline)
    #expect(StallWatch.deadline >= .seconds(600))
  }

  @Test func aLoopThatRestsIsNot() {
    #expect(stuckAfter(.seconds(86_400)) { _ in LoopProgress.Loop(marks: 7, rests: 1) } == nil)
  }

  @Test func aLoopThatGoesOnIsNot() {
    #expect(
      stuckAfter(.seconds(86_400)) { LoopProgress.Loop(marks: UInt64($0.components.seconds) / 500) } == nil)
  }

  /// A host that was asleep, or a process that was stopped, kept every loop from going on.
  @Test func aGapBetweenTwoLooksIsNoTimeOfTheLoops() {
    var watch = StallWatch()
    #expect(watch.look(["delivery": Self.loop], at: .seconds(10)).isEmpty)
    #expect(watch.look(["delivery": Self.loop], at: .seconds(90_000)).isEmpty)
    #expect(watch.look(["delivery": Self.loop], at: .seconds(90_010)).isEmpty)
  }

  @Test func aLoopThatGoesOnAgainIsForgiven() {
    var (watch, uptime) = (StallWatch(), Duration.zero)
    while watch.look(["delivery": Self.loop], at: uptime).isEmpty { uptime += .seconds(10) }
    #expect(watch.look(["delivery": LoopProgress.Loop(marks: 8)], at: uptime + .seconds(10)).isEmpty)
    #expect(watch.look([:], at: uptime + .seconds(20)).isEmpty)
  }
}
