import Conversions

/// Decides which of the mirror's walks is due at what time.
///
/// An order is looked up in the mirror within seconds of its placing, and is mostly the friend's answer to a referral
/// of the last minutes or days, so the young are walked often and the old seldom. The nominal periods grow about as the
/// ages do, so each walk costs about as much a minute as the others where referrals come evenly. A walk whose last run
/// was long has its period stretched, so that it takes no more than its part of the reads and of the time.
struct MirrorSchedule: Sendable {
  /// The mirror's part of `api.reads_per_minute`: the other half is for the looks before sends and after doubtful ones.
  static let share = 0.5
  /// The most reads a minute that an API without a limit is asked for.
  private static let unlimited = 600

  /// A walk that goes on, and when it began.
  typealias Running = (tier: WalkTier, beganAt: Timestamp)

  /// The reads a minute that are the mirror's own.
  let readsPerMinute: Double

  /// A schedule within a share of the configured limit.
  init(_ limit: RateLimit) {
    readsPerMinute = Double(max(1, limit.perMinute ?? Self.unlimited)) * Self.share
  }

  /// The pace of the pages, so that a long walk leaves room between them.
  var pacing: ReadPacing { ReadPacing(.perMinute(max(1, Int(readsPerMinute)))) }

  /// The tiers from the largest to the smallest: one that is due interrupts those before it.
  private static let bySize: [WalkTier] = [
    .full, .open, .month, .week, .day, .conversions, .twoHours, .quarterHour,
  ]

  /// Returns the time after the beginning of one walk at which the next one is due. A full sweep's is stretched only
  /// while the list is distrusted and tried often: it is promised twice a day.
  static func nominal(_ tier: WalkTier, isDistrusted: Bool) -> Duration {
    switch tier {
    case .quarterHour: .seconds(15)
    case .twoHours: .seconds(60)
    case .conversions: .seconds(60)
    case .day: .seconds(5 * 60)
    case .week: .seconds(30 * 60)
    case .month: .seconds(2 * 3600)
    case .open: .seconds(6 * 3600)
    case .full: isDistrusted ? .seconds(5 * 60) : fullPeriodMax
    }
  }

  /// The longest period of full sweeps: a little less than half a day, so that two always fit.
  private static let fullPeriodMax = Duration.seconds(11 * 3600)

  /// The most of the mirror's reads for walks over the open referrals, one after the other, while orders wait for them.
  private static let wantedPartMax = 0.5
  /// The least time between two such walks, so that one that takes no time begins later than the order that waits.
  private static let wantedPeriodMin = Duration.seconds(1)

  /// Each tier's part of the mirror's reads. They add up to 1.
  static func part(_ tier: WalkTier) -> Double {
    switch tier {
    case .quarterHour: 0.24
    case .twoHours: 0.16
    case .day: 0.12
    case .week: 0.10
    case .month, .open, .conversions: 0.06
    case .full: 0.20
    }
  }

  /// Returns the nominal period, stretched by what the tier's last walk cost.
  func period(_ tier: WalkTier, after last: MirrorWalk?, isDistrusted: Bool = false) -> Duration {
    let nominal = Self.nominal(tier, isDistrusted: isDistrusted)
    let period = max(nominal, stretched(tier, after: last))
    return tier == .full ? min(period, Self.fullPeriodMax) : period
  }

  /// Returns the period at which walks like the last one take no more than the tier's part.
  private func stretched(_ tier: WalkTier, after last: MirrorWalk?, part: Double? = nil) -> Duration {
    guard let last else { return .zero }
    let part = part ?? Self.part(tier)
    let byReads = Double(last.reads) / (readsPerMinute * part) * 60
    // The requests go over one connection, so that a slow API is busy with them, too.
    let byTime = last.busy.inSeconds / (Self.share * part)
    return .milliseconds(Int64(max(byReads, byTime) * 1000))
  }

  /// The part of the reads for walks over the open referrals that orders wait for: what the others leave, and among
  /// them the full sweep that they interrupt, which must come to its end, too.
  private func wantedPart(_ progress: MirrorProgress) -> Double {
    let others = WalkTier.allCases.filter { $0 != .open }.map { tier in
      guard tier != .full else { return Self.part(tier) }
      guard let last = progress.walks[tier] else { return 0 }
      let period = Self.nominal(tier, isDistrusted: false).inSeconds
      let load = max(Double(last.reads) * 60 / readsPerMinute, last.busy.inSeconds / Self.share) / period
      return min(Self.part(tier), load)
    }
    return min(Self.wantedPartMax, max(Self.part(.open), 1 - others.reduce(0, +)))
  }

  /// Returns the walk to begin now, if one is due: the largest of them, as it does for the smaller ones. Only smaller
  /// ones than those that go on, which count as done.
  func next(
    _ progress: MirrorProgress, now: Timestamp, startedAt: Timestamp = .distantPast, running: [Running] = []
  ) -> WalkTier? {
    let position = running.last.flatMap { Self.bySize.firstIndex(of: $0.tier) }.map { $0 + 1 } ?? 0
    let smaller = Self.bySize[position...]
    return smaller.first { tier in
      dueAt(tier, progress, now: now, startedAt: startedAt, running: running).map { $0 <= now } ?? false
    }
  }

  /// Returns the time at which the next walk is due.
  func nextDueAt(
    _ progress: MirrorProgress, now: Timestamp, startedAt: Timestamp = .distantPast
  ) -> Timestamp {
    return Self.bySize.compactMap { dueAt($0, progress, now: now, startedAt: startedAt, running: []) }.min() ?? now
  }

  /// Returns true if everything is as fresh as the periods promise: the youngest referrals and the newest conversions
  /// were walked since the daemon's start, and nothing else is due that wasn't.
  func isCurrent(_ progress: MirrorProgress, now: Timestamp, startedAt: Timestamp) -> Bool {
    var progress = progress
    // Ignores a walk that some orders wait for, as others need not wait with them.
    progress.openWalkWantedAt = nil
    return Self.bySize.allSatisfy { tier in
      guard let due = dueAt(tier, progress, now: now, startedAt: startedAt, running: []) else { return true }
      guard let began = progress.walkBegan(tier, now: now) else { return false }
      return began >= startedAt || now < due
    }
  }

  /// Returns the time at which a tier's walk is due; nil for one that is not walked in safe mode.
  private func dueAt(
    _ tier: WalkTier, _ progress: MirrorProgress, now: Timestamp, startedAt: Timestamp, running: [Running]
  ) -> Timestamp? {
    let isDistrusted = progress.distrust != nil
    if isDistrusted, tier == .conversions { return nil }
    let underWay = running.filter { $0.tier.covers(tier) }.map(\.beganAt).max()
    guard let began = [progress.walkBegan(tier, now: now), underWay].compactMap(\.self).max() else { return now }
    // Walks the small tiers again at once after a restart: nothing is sent before.
    if began < startedAt, tier.isSmall { return now }
    let last = progress.walks[tier]
    // A jump of the clock forgets a sweep, and nothing is sent for the first time without one.
    let isForgotten = progress.completeSweepBeganAt == nil && !isDistrusted
    if tier == .full, isForgotten || progress.fullSweepWantedAt.map({ $0 > began }) ?? false {
      // Begins at once if that costs little, and not else: orders may ask for one sweep after the other.
      return began + min(stretched(tier, after: last), Self.fullPeriodMax)
    }
    let due = began + period(tier, after: last, isDistrusted: isDistrusted)
    // Begins early for orders that wait, seen no later than `wanted`. In safe mode no walk is what they wait for.
    guard tier == .open, !isDistrusted, let wanted = progress.openWalkWantedAt, began <= wanted else { return due }
    return min(due, began + max(stretched(tier, after: last, part: wantedPart(progress)), Self.wantedPeriodMin))
  }
}

extension WalkTier {
  /// True if it is walked so often that each walk need not be stored.
  var isSmall: Bool { self == .quarterHour || self == .twoHours || self == .conversions }
}

extension Timestamp {
  static let distantPast = Self(microseconds: .min)
  static let distantFuture = Self(microseconds: .max)
}
