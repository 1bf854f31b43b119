public import Conversions

/// The time from each start until every order was read once, and the referrals are as fresh as the mirror promises.
///
/// While the daemon was down orders were placed and referrals made, and they are met in the order of reading, not of
/// happening: nothing is frozen before all of them are known, or a later order, or a later referral, could win.
public enum CatchUp {
  /// Forgets what an earlier run had completed; to be called before the loops start.
  ///
  /// - Parameters:
  ///   - ledger: The ledger.
  ///   - now: The start, up to which the ledger may not know what was sent: it may be a copy that was put back.
  /// - Throws: `LedgerFailure`.
  public static func begin(_ ledger: any LedgerStore, at now: Timestamp? = nil) async throws {
    try await ledger.transaction { transaction in
      var intake = try transaction.intakeProgress()
      let walked = try transaction.mirrorProgress().completeSweepEndedAt
      if let now, let alive = [intake.aliveAt, walked].compactMap(\.self).max() {
        intake.noteGap(since: alive, until: now)
      }
      (intake.caughtUpAt, intake.lastWalkAt) = (nil, nil)
      try transaction.setIntakeProgress(intake)
      var mirror = try transaction.mirrorProgress()
      // Keeps what is known of the referrals: it is only not current any more.
      mirror.currentSince = nil
      try transaction.setMirrorProgress(mirror)
    }
  }

  /// Returns true if anything may be sent for the first time: every order and referral that there was at the start is
  /// known.
  static func isOver(_ ledger: any LedgerTransaction) throws -> Bool {
    try ledger.intakeProgress().caughtUpAt != nil && ledger.mirrorProgress().completeSweepBeganAt != nil
  }
}
