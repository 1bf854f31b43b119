import Conversions

/// The walk over the youngest open referrals, done ahead of its time for an order that is about to be sent.
struct YoungestWalk: Sendable {
  let surroundings: Surroundings

  /// Sees to it that a walk has been done that began at or after a time; orders seen before it share it.
  ///
  /// - Returns: Whether a walk that was waited for changed anything.
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  func ensure(since time: Timestamp) async throws -> Bool {
    let (clock, reading) = (surroundings.clock, ReferralReading(surroundings: surroundings))
    let progress = try await reading.progress()
    if let began = progress.youngWalkBeganAt(now: clock.now), began >= time { return false }
    return try await surroundings.referralWalks.walkYoungest(since: time, on: surroundings.executor, now: { clock.now })
    { beganAt in
      try await walk(progress, beganAt: beganAt)
    }
  }

  private func walk(_ progress: MirrorProgress, beganAt: Timestamp) async throws -> Bool {
    let (changed, fault) = try await walk(progress, isSafe: progress.distrust != nil, beganAt: beganAt)
    guard let fault else { return changed }
    try await ReferralReading(surroundings: surroundings).distrust(fault)
    return try await walk(progress, isSafe: true, beganAt: beganAt).changed || changed
  }

  private func walk(
    _ progress: MirrorProgress, isSafe: Bool, beganAt: Timestamp
  ) async throws -> (changed: Bool, fault: String?) {
    let reading = ReferralReading(surroundings: surroundings)
    // However many the ledger knows: the walk must be short.
    var walk = WalkUnderWay(.quarterHour, isSafe: isSafe, progress: progress, known: 0, now: beganAt)
    var changed = false
    while let query = walk.query {
      try Task.checkCancellation()
      let began = surroundings.clock.uptime
      let (page, hasChanged) = try await reading.page(query)
      changed = changed || hasChanged
      walk.take(page, took: surroundings.clock.uptime - began)
    }
    if walk.fault == nil { await surroundings.referralWalks.note(walk.record, of: .quarterHour) }
    return (changed, walk.fault)
  }
}
