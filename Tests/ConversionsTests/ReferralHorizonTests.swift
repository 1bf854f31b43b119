import Conversions
import Foundation
import Testing

/// Up to when every referral is known, after which walks.
@Suite struct ReferralHorizonTests {
  private func minutes(_ count: Int) -> Timestamp { start + .seconds(count * 60) }

  private let start = Timestamp(milliseconds: 1_790_000_000_000)

  private func walked(_ walks: [(MirrorTier, Int)]) -> MirrorProgress {
    var progress = MirrorProgress()
    for (tier, minute) in walks { walk(tier, minute, &progress) }
    return progress
  }

  /// A walk that nothing else came between.
  private func walk(
    _ tier: MirrorTier, _ minute: Int, isSafe: Bool = false, endsAt now: Int = 999, _ progress: inout MirrorProgress
  ) {
    let walk = ReferralHorizon.Walk(
      tier, isSafe: isSafe, beganAt: minutes(minute), horizon: progress.horizon)
    progress.horizon.take(walk, now: minutes(now))
  }

  private static let stories: [(walks: [(MirrorTier, Int)], known: Int?)] = {
    let full: [(MirrorTier, Int)] = [(.full, 0)]
    func after(_ more: (MirrorTier, Int)..., known: Int?) -> (walks: [(MirrorTier, Int)], known: Int?) {
      (full + more, known)
    }
    return [
      ([(.quarterHour, 0), (.month, 1), (.conversions, 2)], nil), ([(.open, 0)], 0), (full, 0),
      after((.quarterHour, 1), (.quarterHour, 10), (.quarterHour, 24), known: 24),
      // A minute's overlap: 14 minutes are reached, 15 are not.
      after((.quarterHour, 14), known: 14), after((.quarterHour, 15), known: 0),
      after((.quarterHour, 15), (.twoHours, 16), (.quarterHour, 30), known: 30),
      after((.twoHours, 120), known: 0), after((.day, 120), (.quarterHour, 121), known: 121),
      after((.conversions, 10), known: 0),
      // A large walk that smaller ones interrupted.
      after((.quarterHour, 10), (.full, 5), known: 10),
    ]
  }()

  @Test(arguments: stories)
  func aWalkMovesItWhereItReachesBack(walks: [(MirrorTier, Int)], known: Int?) {
    #expect(walked(walks).horizon.open(now: minutes(1000)) == known.map(minutes))
  }

  /// Whoever was made before an open walk began was shown by it, or by the conversions that are read after it.
  @Test func whoWasConvertedBetweenTwoWalksIsKnownByTheConversionsThatAreReadAfterThem() {
    var progress = walked([(.full, 0), (.quarterHour, 5)])
    #expect(progress.referralsKnownTo(now: minutes(9)) == minutes(0))
    let under = ReferralHorizon.Walk(.conversions, beganAt: minutes(6), horizon: progress.horizon)
    walk(.quarterHour, 7, &progress)
    progress.horizon.take(under, now: minutes(9))
    #expect(progress.referralsKnownTo(now: minutes(9)) == minutes(5), "and not what was walked since it began")
    walk(.conversions, 8, &progress)
    #expect(progress.referralsKnownTo(now: minutes(9)) == minutes(7))
    #expect(progress.referralsKnownTo(now: minutes(6)) == nil, "the clock was set back behind it")
    #expect(walked([(.open, 0)]).referralsKnownTo(now: minutes(9)) == nil)
    #expect(walked([(.conversions, 0)]).referralsKnownTo(now: minutes(9)) == nil)
  }

  @Test func theSafeModesWalksShowWhateverHasBecomeOfThem() {
    var progress = walked([(.full, 0), (.quarterHour, 10)])
    progress.distrust = "it lies"
    #expect(progress.referralsKnownTo(now: minutes(20)) == minutes(0))
    #expect(progress.walkToHorizon(now: minutes(20)) == .twoHours, "back to where everybody is known")
    walk(.quarterHour, 20, isSafe: true, &progress)
    #expect(progress.referralsKnownTo(now: minutes(20)) == minutes(0))
    walk(.twoHours, 21, isSafe: true, &progress)
    #expect(progress.referralsKnownTo(now: minutes(21)) == minutes(21))
    #expect(progress.horizon.open(now: minutes(21)) == minutes(21))
    progress = MirrorProgress()
    walk(.open, 1, isSafe: true, &progress)
    #expect(progress.referralsKnownTo(now: minutes(2)) == minutes(1))
  }

  private static let reaches: [(minute: Int, tier: MirrorTier)] = [
    (0, .quarterHour), (14, .quarterHour), (15, .twoHours), (119, .twoHours), (120, .day), (1439, .day),
    (1440, .week), (10_080, .month), (43_200, .open),
  ]

  @Test(arguments: reaches)
  func theSmallestWalkThatReachesBack(minute: Int, tier: MirrorTier) {
    #expect(walked([(.full, 0)]).walkToHorizon(now: minutes(minute)) == tier)
    #expect(MirrorProgress().walkToHorizon(now: minutes(minute)) == .open)
  }

  @Test func aClockThatWasSetBackLeavesNothingKnown() {
    var progress = walked([(.full, 100)])
    #expect(progress.referralsKnownTo(now: minutes(99)) == nil && progress.walkToHorizon(now: minutes(99)) == .open)
    walk(.twoHours, 99, endsAt: 99, &progress)
    #expect(progress.horizon.open(now: minutes(99)) == nil)
    // Set back during the walk: nobody knows when that began.
    walk(.open, 98, endsAt: 97, &progress)
    #expect(progress.horizon.open(now: minutes(97)) == nil)
    walk(.open, 98, endsAt: 99, &progress)
    #expect(progress.horizon.open(now: minutes(99)) == minutes(98))
  }

  @Test func itIsDerivedFromTheWalksThatAnOlderVersionStored() throws {
    func read(_ walks: [(MirrorTier, Int)]) throws -> Timestamp? {
      var old = MirrorProgress()
      for (tier, minute) in walks { old.walks[tier] = MirrorWalk(beganAt: minutes(minute), reads: 1, busy: .zero) }
      return try JSONDecoder().decode(MirrorProgress.self, from: Self.older(old)).horizon.open(now: minutes(999))
    }
    #expect(try read([(.full, 0), (.day, 600), (.twoHours, 650), (.quarterHour, 652)]) == minutes(652))
    #expect(try read([(.full, 0), (.quarterHour, 652)]) == minutes(0))
    #expect(try read([(.day, 0), (.conversions, 1)]) == nil)
  }

  /// What a version stored that knew no horizon.
  private static func older(_ progress: MirrorProgress) throws -> Data {
    let whole = try JSONSerialization.jsonObject(with: JSONEncoder().encode(progress))
    var fields = try #require(whole as? [String: Any])
    fields["horizon"] = nil
    return try JSONSerialization.data(withJSONObject: fields)
  }

  /// Made at 2, converted at 10: too young for the open walk of 0, converted too late for the conversions of 5, and open
  /// no more when that of 15 begins.
  @Test func whoWasConvertedBetweenTheConversionsAndTheNextOpenWalkIsNotKnown() {
    let progress = walked([(.full, 0), (.conversions, 5), (.quarterHour, 14)])
    #expect(progress.referralsKnownTo(now: minutes(16)).map { $0 < minutes(2) } ?? true)
  }

  /// No walk has shown yet who was made at 6 and converted at 8.
  @Test func thatTheListIsDistrustedMakesNobodyKnown() {
    var progress = walked([(.full, 0), (.conversions, 5), (.quarterHour, 10)])
    let known = progress.referralsKnownTo(now: minutes(11))
    progress.distrust = "it lies"
    #expect(progress.referralsKnownTo(now: minutes(11)) == known)
  }
}
