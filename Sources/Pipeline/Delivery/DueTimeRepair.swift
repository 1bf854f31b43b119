import Conversions

/// The repair of the ledger's due times after a jump of the host's clock, or of those that an earlier run left by
/// another clock: what was put off by one that was ahead would wait until that time has come.
struct DueTimeRepair: Sendable {
  /// The longest time for which a send stays put off over a start: a Retry-After that asks for more is met again then, and a
  /// clock that was ahead before it costs no more.
  private static let waitMax = Duration.seconds(3600)

  let now: Timestamp
  /// True if the clock has jumped in this run, or in this boot since the last one; else the run has just begun.
  let isAfterJump: Bool
  /// The state of the clock, the jump among it.
  let memory: TrustedTime.Memory

  /// Brings forward what lies further ahead than anything that waits.
  func repair(_ transaction: any LedgerTransaction) throws {
    // After a jump nothing tells a long wait from a short one by the other clock; the pacer has the limits.
    try transaction.clampSends(to: now + (isAfterJump ? ReferralQuestion.wait : Self.waitMax), now: now)
    try transaction.clampSightings(at: now)
    guard isAfterJump else { return }
    try transaction.setClockMemory(memory)
    try transaction.clampRematches(at: now)
    let before = try transaction.mirrorProgress()
    var mirror = before
    mirror.openWalkBeganAt = nil
    // Forgets the clocks' differences: measured before and after the jump, they would differ by it, and a referral that
    // was made after the order would be taken for an earlier one.
    mirror.clockAhead = nil
    var intake = try transaction.intakeProgress()
    intake.clockAhead = nil
    try transaction.setIntakeProgress(intake)
    // Forgets a sweep of the future: "no referral" rests on what was seen before a sweep began.
    if let began = mirror.completeSweepBeganAt, began > now {
      (mirror.completeSweepBeganAt, mirror.completeSweepEndedAt) = (nil, nil)
    }
    // Asks for one sweep, and not for one after the other until then.
    mirror.fullSweepWantedAt = mirror.fullSweepWantedAt.map { min($0, now) }
    guard mirror != before else { return }
    try transaction.setMirrorProgress(mirror)
    if mirror.hasWalked(since: before) { try transaction.wakeOrdersBehindMirror() }
  }
}
