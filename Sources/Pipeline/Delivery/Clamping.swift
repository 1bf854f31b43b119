import Conversions

/// What becomes of the ledger's times when the clock was corrected, or may have been another one's in an earlier run.
struct Clamping: Sendable {
  /// The longest that a send is ever put off: what a Retry-After may say.
  private static let waitMax = Duration.seconds(86_400)

  let now: Timestamp
  /// Whether the clock was corrected in this run; else it has just begun.
  let isCorrection: Bool
  /// What is known of the clock, the correction among it.
  let memory: WitnessedTime.Memory

  /// Brings forward what lies further ahead than anything that waits.
  func clamp(_ transaction: any LedgerTransaction) throws {
    // After a correction nothing tells a long wait from a short one by the wrong clock; the pacer has the limits.
    try transaction.clampSends(to: now + (isCorrection ? Backoff.delivery.longest : Self.waitMax))
    guard isCorrection else { return }
    try transaction.setClockMemory(memory)
    try transaction.clampRematches(at: now)
    let before = try transaction.mirrorProgress()
    var mirror = before
    mirror.openWalkBeganAt = nil
    // "No referral" rests on what was seen before a sweep began: not on one that is still to come.
    if let began = mirror.completeSweepBeganAt, began > now {
      (mirror.completeSweepBeganAt, mirror.completeSweepEndedAt) = (nil, nil)
    }
    // One sweep is wanted, and not one after the other until then.
    mirror.fullSweepWantedAt = mirror.fullSweepWantedAt.map { min($0, now) }
    if mirror != before { try transaction.setMirrorProgress(mirror) }
  }
}
