import Conversions

/// The time after a ledger was built anew or restored in which nothing is frozen: what the one before it had sent may
/// still be on its way, and shows only in a complete sweep of the referrals that began later.
struct QuietAfterRebuild {
  private let ledger: any LedgerTransaction

  init(_ ledger: any LedgerTransaction) { self.ledger = ledger }

  /// Returns the time at which matching must look again because of it; nil if it holds nothing up, or its end was seen.
  func nextEnd(after now: Timestamp) throws -> Timestamp? {
    guard let quietUntil = try pendingEnd(), quietUntil > now else { return nil }
    return quietUntil
  }

  /// Returns true once it is over, as long as the sweep that must follow was not asked for.
  func needsSweep(now: Timestamp) throws -> Bool {
    guard let quietUntil = try pendingEnd(), now >= quietUntil else { return false }
    let mirror = try ledger.mirrorProgress()
    if let swept = mirror.completeSweepBeganAt, swept >= quietUntil { return false }
    return mirror.fullSweepWantedAt.map { $0 < quietUntil } ?? true
  }

  private func pendingEnd() throws -> Timestamp? {
    let progress = try ledger.intakeProgress()
    return progress.caughtUpAt == nil ? progress.quietUntil : nil
  }
}
