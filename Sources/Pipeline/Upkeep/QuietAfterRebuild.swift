public import Conversions

/// The quiet period after a ledger was built anew or restored, in which nothing is frozen: what the one before it had
/// sent may still be on its way, and shows only in a complete sweep of the referrals that began later.
public struct QuietAfterRebuild {
  private let ledger: any LedgerTransaction

  /// The quiet period of a ledger.
  public init(_ ledger: any LedgerTransaction) { self.ledger = ledger }

  /// Says what waits, and until when.
  public static func words(until time: String) -> String {
    "the ledger was restored or rebuilt: nothing that was never sent is sent before \(time) and a complete sweep of the "
      + "referrals that begins then"
  }

  /// Returns the time before which nothing is sent that was never sent, nor before a sweep that began later has ended;
  /// nil where it holds nothing up.
  ///
  /// - Throws: `LedgerFailure`.
  public func end() throws -> Timestamp? {
    guard let quietUntil = try pendingEnd() else { return nil }
    let swept = try ledger.mirrorProgress().completeSweepBeganAt
    return swept.map { $0 >= quietUntil } ?? false ? nil : quietUntil
  }

  /// Returns the time at which matching must look again because of it; nil if it holds nothing up, or its end was seen.
  func nextEnd(after now: Timestamp) throws -> Timestamp? {
    guard let quietUntil = try pendingEnd(), quietUntil > now else { return nil }
    return quietUntil
  }

  /// Returns true once it is over, as long as the sweep that must follow was not asked for.
  func needsSweep(now: Timestamp) throws -> Bool {
    guard let quietUntil = try end(), now >= quietUntil else { return false }
    return try ledger.mirrorProgress().fullSweepWantedAt.map { $0 < quietUntil } ?? true
  }

  private func pendingEnd() throws -> Timestamp? {
    let progress = try ledger.intakeProgress()
    return progress.caughtUpAt == nil ? progress.quietUntil : nil
  }
}
