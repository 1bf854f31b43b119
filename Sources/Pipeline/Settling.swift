import Conversions

extension LedgerTransaction {
  /// Asks the mirror for a full sweep ahead of its time; ring its bell once the transaction is committed.
  func wantFullSweep(at now: Timestamp) throws {
    var mirror = try mirrorProgress()
    mirror.fullSweepWantedAt = now
    try setMirrorProgress(mirror)
  }

  /// Asks the mirror for a complete walk of the open referrals ahead of its time; ring its bell once the transaction is
  /// committed.
  func wantOpenWalk(at now: Timestamp) throws {
    var mirror = try mirrorProgress()
    mirror.openWalkWantedAt = now
    try setMirrorProgress(mirror)
  }

  /// Asks for such a walk unless one was asked for since a time.
  func wantOpenWalk(after time: Timestamp, at now: Timestamp) throws {
    if let wanted = try mirrorProgress().openWalkWantedAt, wanted > time, wanted <= now { return }
    try wantOpenWalk(at: now)
  }

  /// Stores what was decided of an order that the ledger holds; one that can matter no more leaves it.
  ///
  /// - Returns: Whether it left.
  func settle(_ order: LedgerOrder, _ decision: Decision, rules: AttributionRules, now: Timestamp) throws -> Bool {
    if let readable = order.order, order.frozen == nil, rules.isPast(readable, decision, now: now) {
      try dismiss(order.entry, as: decision.outcome)
      return true
    }
    try decide(order.entry, decision, at: now)
    return false
  }
}
