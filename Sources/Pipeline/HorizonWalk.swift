public import Conversions

/// The walk back to the mirror's horizon, done ahead of its time for an order that is about to be sent. Mostly over the
/// referrals of the last quarter of an hour.
struct HorizonWalk: Sendable {
  let surroundings: Surroundings

  /// Where the horizon is further away, it is the mirror's work to walk back to it: an order can't wait for that with the
  /// permit to send in its hand.
  private static let longest = MirrorTier.twoHours

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
    let (clock, reading) = (surroundings.clock, ReferralReading(surroundings: surroundings))
    let progress = try await reading.progress()
    if let known = progress.horizon(now: clock.now), known >= time { return false }
    guard let tier = Self.tier(progress, now: clock.now) else { return nil }
    let changed = try await surroundings.referralWalks.walkToHorizon(
      upTo: time, on: surroundings.executor, now: { clock.now }
    ) { beganAt in
      try await walk(tier, progress, beganAt: beganAt)
    }
    // The clock may have been set meanwhile.
    guard let known = try await reading.progress().horizon(now: clock.now), known >= time else { return nil }
    return changed
  }

  private func walk(_ tier: MirrorTier, _ progress: MirrorProgress, beganAt: Timestamp) async throws -> Bool {
    let (changed, fault) = try await walk(tier, progress, isSafe: progress.distrust != nil, beganAt: beganAt)
    guard let fault else { return changed }
    try await ReferralReading(surroundings: surroundings).distrust(fault)
    return try await walk(tier, progress, isSafe: true, beganAt: beganAt).changed || changed
  }

  private func walk(
    _ tier: MirrorTier, _ progress: MirrorProgress, isSafe: Bool, beganAt: Timestamp
  ) async throws -> (changed: Bool, fault: String?) {
    let reading = ReferralReading(surroundings: surroundings)
    // However many the ledger knows: the walk must be short.
    var walk = WalkUnderWay(tier, isSafe: isSafe, progress: progress, known: 0, now: beganAt)
    var changed = false
    while let query = walk.query {
      try Task.checkCancellation()
      let began = surroundings.clock.uptime
      let (page, hasChanged) = try await reading.page(query)
      changed = changed || hasChanged
      walk.take(page, took: surroundings.clock.uptime - began)
    }
    if walk.fault == nil { await reading.note(walk, progress) }
    return (changed, walk.fault)
  }
}

extension MirrorProgress {
  /// Whether the referrals are not known without a gap any more, after an outage, and orders wait until they are.
  public func isBehind(now: Timestamp) -> Bool {
    currentSince != nil && HorizonWalk.tier(self, now: now) == nil
  }
}
