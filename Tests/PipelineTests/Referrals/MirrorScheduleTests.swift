import Conversions
import Foundation
import Testing

@testable import Pipeline

/// Tests the times at which walks are due.
@Suite struct MirrorScheduleTests {
  private static let limits: [RateLimit] = [
    .perMinute(5), .perMinute(30), .perMinute(120), .perMinute(600), .unlimited,
  ]

  /// The cost of a tier's walk: so many reads, each of a length.
  private struct Cost {
    var reads: [WalkTier: Int]
    var each: Duration

    func of(_ tier: WalkTier) -> Int { reads[tier] ?? 2 }
  }

  /// Runs the schedule for a time as the mirror does, one read after the other, the smaller walks between the larger
  /// ones' reads; tells how often each tier was walked, and the reads in all. With `wantsOpen` at every moment an order
  /// was just seen that waits for a walk over all open referrals.
  private func simulate(
    _ limit: RateLimit, _ cost: Cost, for duration: Duration, after earlier: MirrorProgress = MirrorProgress(),
    wantsOpen: Bool = false
  ) -> (walks: [WalkTier: Int], reads: Int, longest: [WalkTier: Duration]) {
    let schedule = MirrorSchedule(limit)
    var pacing = schedule.pacing
    var (progress, uptime) = (earlier, Duration.zero)
    var running: [(tier: WalkTier, beganAt: Timestamp, left: Int)] = []
    var (walks, reads, longest) = ([WalkTier: Int](), 0, [WalkTier: Duration]())
    while uptime < duration {
      let now = start + uptime
      if wantsOpen { progress.openWalkWantedAt = now }
      if let tier = schedule.next(progress, now: now, running: running.map { ($0.tier, $0.beganAt) }) {
        running.append((tier, now, cost.of(tier)))
      }
      guard let last = running.last else {
        uptime += max(schedule.nextDueAt(progress, now: now) - now, .milliseconds(100))
        continue
      }
      uptime = pacing.take(at: uptime) + cost.each
      reads += 1
      running[running.count - 1].left -= 1
      guard last.left == 1 else { continue }
      running.removeLast()
      if let before = progress.walkBegan(last.tier, now: start + uptime) {
        longest[last.tier] = max(longest[last.tier] ?? .zero, last.beganAt - before)
      }
      let walk = MirrorWalk(
        beganAt: last.beganAt, reads: cost.of(last.tier), busy: cost.each * cost.of(last.tier))
      progress.walks[last.tier] = walk
      if last.tier == .full { progress.completeSweepBeganAt = last.beganAt }
      walks[last.tier, default: 0] += 1
    }
    return (walks, reads, longest)
  }

  /// The mirror after a full sweep of five reads.
  private static var swept: MirrorProgress {
    var progress = MirrorProgress()
    progress.walks[.full] = MirrorWalk(beganAt: start, reads: 5, busy: .zero)
    progress.completeSweepBeganAt = start
    return progress
  }

  /// A jump of the clock forgets a sweep, and its walk's record may outlast that.
  @Test func aSweepThatWasForgottenIsMadeAgainAtOnce() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    #expect(schedule.next(progress, now: start + .seconds(60)) != .full)
    progress.completeSweepBeganAt = nil
    #expect(schedule.next(progress, now: start + .seconds(60)) == .full)
  }

  @Test func theTiersPartsAddUp() {
    let sum = WalkTier.allCases.map(MirrorSchedule.part).reduce(0, +)
    #expect(abs(sum - 1) < 1e-9)
  }

  @Test func theFirstWalkIsAFullOne() {
    #expect(MirrorSchedule(.perMinute(120)).next(MirrorProgress(), now: start) == .full)
  }

  @Test func aSmallListIsWalkedAtTheNominalPeriods() {
    let (walks, reads, longest) = simulate(
      .perMinute(120), Cost(reads: [.full: 5, .conversions: 1], each: .milliseconds(50)), for: day)
    #expect(walks[.full] == 3, "at the start, and twice a day")
    #expect((walks[.quarterHour] ?? 0) > 4000 && (longest[.quarterHour] ?? day) < .seconds(20))
    #expect((longest[.twoHours] ?? day) < .seconds(70) && (longest[.day] ?? day) < .seconds(310))
    #expect(reads < 24 * 60 * 60 / 4, "well within half of 120 a minute")
  }

  @Test(arguments: limits)
  func whateverTheListTheShareIsKept(limit: RateLimit) {
    let large = Cost(
      reads: [
        .quarterHour: 20, .twoHours: 60, .day: 300, .week: 900, .month: 2000, .open: 4000, .full: 9000, .conversions: 5,
      ], each: .milliseconds(100))
    let (walks, reads, _) = simulate(limit, large, for: .seconds(6 * 3600))
    let minutes = 6.0 * 60
    #expect(Double(reads) <= minutes * MirrorSchedule(limit).readsPerMinute + 20)
    #expect((walks[.quarterHour] ?? 0) > 5, "the largest walk never keeps the smallest waiting for good")
  }

  @Test func aLargeListStillHasItsYoungSeenOften() {
    let large = Cost(
      reads: [
        .quarterHour: 2, .twoHours: 4, .day: 20, .week: 100, .month: 300, .open: 1000, .full: 4000, .conversions: 1,
      ],
      each: .milliseconds(100))
    let (walks, _, longest) = simulate(.perMinute(120), large, for: day)
    #expect((walks[.full] ?? 0) >= 2)
    #expect((longest[.quarterHour] ?? day) < .seconds(40), "also while a full sweep of over an hour goes on")
  }

  @Test func aLargerWalkCountsForTheSmallerOnes() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    for tier in WalkTier.allCases { #expect(progress.walkBegan(tier, now: start) == start, "\(tier)") }
    #expect(schedule.next(progress, now: start + .seconds(14)) == nil)
    #expect(schedule.next(progress, now: start + .seconds(15)) == .quarterHour)
    #expect(schedule.nextDueAt(progress, now: start) == start + .seconds(15))
    progress.walks[.week] = MirrorWalk(beganAt: start + .seconds(100), reads: 2, busy: .zero)
    #expect(progress.walkBegan(.day, now: start + .seconds(200)) == start + .seconds(100))
    #expect(progress.walkBegan(.month, now: start + .seconds(200)) == start)
    #expect(progress.walkBegan(.conversions, now: start + .seconds(200)) == start)
  }

  @Test func onlySmallerWalksInterrupt() {
    let schedule = MirrorSchedule(.perMinute(120))
    let progress = MirrorProgress()
    let running: [MirrorSchedule.Running] = [(.full, start)]
    #expect(schedule.next(progress, now: start + .seconds(5), running: running) == nil, "the full sweep does for all")
    #expect(schedule.next(progress, now: start + .seconds(15), running: running) == .quarterHour)
    #expect(
      schedule.next(progress, now: start + .seconds(400), running: running + [(.day, start + .seconds(399))])
        == .conversions)
  }

  @Test func aClockThatWasSetBackIsNoReasonToWait() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = MirrorProgress()
    progress.walks[.full] = MirrorWalk(beganAt: start + day, reads: 5, busy: .zero)
    #expect(schedule.next(progress, now: start) == .full)
    #expect(progress.walkBegan(.quarterHour, now: start) == nil)
  }

  @Test func aWantedSweepComesEarlyAndNotTwice() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    progress.fullSweepWantedAt = start + .seconds(100)
    #expect(schedule.next(progress, now: start + .seconds(100)) == .full)
    progress.walks[.full] = MirrorWalk(beganAt: start + .seconds(100), reads: 5, busy: .zero)
    #expect(schedule.next(progress, now: start + .seconds(101)) == nil)
    // One that cost much is not had again at once.
    progress.walks[.full] = MirrorWalk(beganAt: start + .seconds(100), reads: 1000, busy: .zero)
    progress.fullSweepWantedAt = start + .seconds(200)
    #expect(schedule.next(progress, now: start + .seconds(300)) != .full)
    #expect(schedule.next(progress, now: start + .seconds(6000)) == .full)
  }

  @Test func aWantedOpenWalkComesEarlyAndOnce() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    progress.openWalkWantedAt = start + .seconds(100)
    #expect(schedule.next(progress, now: start + .seconds(100)) == .open)
    #expect(schedule.nextDueAt(progress, now: start + .seconds(100)) <= start + .seconds(100))
    let walk: MirrorSchedule.Running = (.open, start + .seconds(101))
    #expect(schedule.next(progress, now: start + .seconds(102), running: [walk]) != .open, "it doesn't start over")
    // The order was seen while it went on.
    progress.openWalkWantedAt = start + .seconds(103)
    #expect(schedule.next(progress, now: start + .seconds(104), running: [walk]) != .open)
    progress.walks[.open] = MirrorWalk(beganAt: start + .seconds(101), reads: 5, busy: .zero)
    #expect(schedule.next(progress, now: start + .seconds(115)) == .open, "one more")
    progress.walks[.open] = MirrorWalk(beganAt: start + .seconds(115), reads: 5, busy: .zero)
    #expect(schedule.next(progress, now: start + .seconds(116)) != .open)
    // A full sweep that began before the order was seen does not do, and is interrupted.
    progress.openWalkWantedAt = start + .seconds(200)
    #expect(schedule.next(progress, now: start + .seconds(201), running: [(.full, start + .seconds(190))]) == .open)
    #expect(schedule.next(progress, now: start + .seconds(202), running: [(.full, start + .seconds(201))]) != .open)
    // No walk of the safe mode is what they wait for.
    progress.distrust = "unsorted"
    #expect(schedule.next(progress, now: start + .seconds(201), running: [(.full, start + .seconds(190))]) != .open)
  }

  @Test(arguments: limits)
  func ordersThatAlwaysWaitForOpenWalksLeaveTheOthersTheirTurn(limit: RateLimit) {
    let large = Cost(
      reads: [
        .quarterHour: 2, .twoHours: 4, .day: 20, .week: 100, .month: 200, .open: 200, .full: 1000, .conversions: 1,
      ], each: .milliseconds(100))
    let (walks, reads, longest) = simulate(limit, large, for: day * 4, wantsOpen: true)
    #expect(Double(reads) <= 4 * 24 * 60 * MirrorSchedule(limit).readsPerMinute + 20)
    #expect((walks[.full] ?? 0) >= 2 && (walks[.open] ?? 0) >= 3, "\(walks)")
    guard limit.perMinute.map({ $0 >= 120 }) ?? true else { return }
    #expect((walks[.full] ?? 0) >= 8 && (walks[.open] ?? 0) >= 4 * 24 * 4, "\(walks)")
    #expect((longest[.quarterHour] ?? day) < .seconds(40))
  }

  @Test func anOpenWalkThatOrdersWaitForKeepsNobodyElse() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    progress.openWalkWantedAt = start
    #expect(schedule.isCurrent(progress, now: start + .seconds(2), startedAt: start))
  }

  @Test func currentMeansWalkedSinceTheStartAndNothingOverdue() {
    let schedule = MirrorSchedule(.perMinute(120))
    var progress = Self.swept
    let restart = start + .seconds(600)
    #expect(!schedule.isCurrent(progress, now: restart, startedAt: restart))
    for tier in [WalkTier.quarterHour, .twoHours, .conversions] {
      progress.walks[tier] = MirrorWalk(beganAt: restart, reads: 2, busy: .zero)
    }
    #expect(!schedule.isCurrent(progress, now: restart, startedAt: restart), "a day's referrals are due")
    progress.walks[.day] = MirrorWalk(beganAt: restart, reads: 2, busy: .zero)
    #expect(schedule.isCurrent(progress, now: restart, startedAt: restart))
    #expect(!schedule.isCurrent(progress, now: restart + day, startedAt: restart + day))
  }

  @Test func whatAnOlderVersionStoredIsRead() throws {
    let old = Data(#"{"completeSweepBeganAt":17650000000,"lastAnswerAt":17650000001}"#.utf8)
    let progress = try JSONDecoder().decode(MirrorProgress.self, from: old)
    #expect(progress.completeSweepBeganAt == Timestamp(microseconds: 17_650_000_000) && progress.walks.isEmpty)
    var new = progress
    (new.clockAhead, new.fullSweepWantedAt) = (.milliseconds(-1500), start)
    (new.openWalkBeganAt, new.openWalkWantedAt) = (start, start + .seconds(1))
    new.walks[.quarterHour] = MirrorWalk(beganAt: start, reads: 2, busy: .milliseconds(7))
    #expect(try JSONDecoder().decode(MirrorProgress.self, from: JSONEncoder().encode(new)) == new)
  }
}
