public import Conversions

/// The time from each start until every order was read once, and the referrals are as fresh as the mirror promises.
///
/// While the daemon was down orders were placed and referrals made, and they are met in the order of reading, not of
/// happening: nothing is frozen before all of them are known, or a later order, or a later referral, could win.
public enum CatchUp {
  /// Forgets what an earlier run had completed; to be called before the loops start.
  public static func begin(_ ledger: any LedgerStore) async throws {
    try await ledger.transaction { transaction in
      var intake = try transaction.intakeProgress()
      (intake.caughtUpAt, intake.lastWalkAt) = (nil, nil)
      try transaction.setIntakeProgress(intake)
      var mirror = try transaction.mirrorProgress()
      // What is known of the referrals is not forgotten, only not current any more.
      mirror.currentSince = nil
      try transaction.setMirrorProgress(mirror)
    }
  }
}
