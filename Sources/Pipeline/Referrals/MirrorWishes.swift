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
}
