import Conversions

extension LedgerTransaction {
  /// Asks the mirror for a full sweep ahead of its time; notify its signal once the transaction is committed.
  func wantFullSweep(at now: Timestamp) throws {
    var mirror = try mirrorProgress()
    mirror.fullSweepWantedAt = now
    try setMirrorProgress(mirror)
  }

  /// Asks the mirror for a walk over all open referrals that begins after an order was seen, at `time` that is; one
  /// walk serves all that wait. Notify the mirror's signal once the transaction is committed.
  func wantOpenWalk(at time: Timestamp) throws {
    var mirror = try mirrorProgress()
    guard mirror.openWalkWantedAt.map({ $0 < time }) ?? true else { return }
    mirror.openWalkWantedAt = time
    try setMirrorProgress(mirror)
  }

  /// Stores what was decided of an order that the ledger holds; one that can matter no more leaves it.
  ///
  /// - Returns: True if it left the ledger.
  func store(_ order: LedgerOrder, _ decision: Decision, rules: AttributionRules, now: Timestamp) throws -> Bool {
    if let readable = order.order, order.frozen == nil, rules.isPast(readable, decision, now: now) {
      try dismiss(order.entry, as: decision.outcome)
      return true
    }
    try decide(order.entry, decision, at: now)
    return false
  }
}
