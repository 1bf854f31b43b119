public import Conversions

/// The walks back to the mirror's horizon, done ahead of their time for an order that is about to be sent: mostly over
/// the open referrals of the last quarter of an hour, and over the newest conversions.
struct HorizonWalk: Sendable {
  /// Where the horizon is further away, it is the mirror's work to walk back to it: an order can't wait for that with the
  /// permit to send in its hand.
  private static let longest = MirrorTier.twoHours
  /// How often an order joins a walk that turns out to have been for another one.
  private static let tries = 3

  private let surroundings: Surroundings
  private var reading: ReferralReading { ReferralReading(surroundings: surroundings) }

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// The walk that an order may do itself; nil where the mirror must.
  static func tier(_ progress: MirrorProgress, now: Timestamp) -> MirrorTier? {
    let tier = progress.walkToHorizon(now: now)
    return longest.covers(tier) ? tier : nil
  }

  /// Sees to it that every referral made up to a time is known; orders seen before it share the walk.
  ///
  /// - Returns: Whether a walk that was waited for changed anything; nil where the mirror has yet to walk.
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  func ensure(upTo time: Timestamp) async throws -> Bool? {
    let clock = surroundings.clock
    var changed = false
    for _ in 0..<Self.tries {
      let progress = try await reading.progress()
      if let known = progress.referralsKnownTo(now: clock.now), known >= time { return changed }
      guard let tier = Self.tier(progress, now: clock.now) else { return nil }
      let hasChanged = try await surroundings.referralWalks.walkToHorizon(
        upTo: time, on: surroundings.executor, now: { clock.now }
      ) { beganAt in
        try await walk(tier, upTo: time, beganAt: beganAt)
      }
      changed = changed || hasChanged
    }
    // The clock may have been set meanwhile.
    return nil
  }

  /// The open ones first: who is converted meanwhile is among the conversions then.
  private func walk(_ tier: MirrorTier, upTo time: Timestamp, beganAt: Timestamp) async throws -> Bool {
    var changed = false
    let progress = try await reading.progress()
    let known = progress.horizon.reached(isSafe: progress.distrust != nil, now: beganAt)
    if known.map({ $0 < time }) ?? true { changed = try await walk(tier, beganAt: beganAt) }
    guard try await reading.progress().distrust == nil else { return changed }
    return try await walk(.conversions, beganAt: surroundings.clock.now) || changed
  }

  private func walk(_ tier: MirrorTier, beganAt: Timestamp) async throws -> Bool {
    let progress = try await reading.progress()
    let isSafe = progress.distrust != nil
    // However many the ledger knows: the walk must be short.
    var walk = WalkUnderWay(
      tier, isSafe: isSafe, progress: progress, known: 0, overlap: ConversionsWalk.shortOverlap, now: beganAt)
    var changed = false
    while let query = walk.query {
      try Task.checkCancellation()
      let began = surroundings.clock.uptime
      let (page, hasChanged) = try await reading.page(query, priority: .question)
      changed = changed || hasChanged
      walk.take(page, took: surroundings.clock.uptime - began)
    }
    guard let fault = walk.fault else {
      try await reading.note(walk, isMirrors: false)
      return changed
    }
    try await reading.distrust(fault)
    // The safe mode's walk has no faults.
    guard !isSafe, tier != .conversions else { return changed }
    return try await self.walk(tier, beganAt: beganAt) || changed
  }
}

extension MirrorProgress {
  /// Whether the referrals are not known without a gap any more, after an outage, and orders wait until they are.
  public func isBehind(now: Timestamp) -> Bool {
    currentSince != nil && HorizonWalk.tier(self, now: now) == nil
  }
}
