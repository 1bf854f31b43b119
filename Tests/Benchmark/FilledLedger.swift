import Conversions
import Ledger
import Pipeline

/// Fills a ledger's queue without a daemon.
extension SQLiteLedger {
  /// Makes everything count as read, as after a first catch-up.
  func endCatchUp(at now: Timestamp) async throws {
    try await transaction { transaction in
      var (intake, mirror) = (try transaction.intakeProgress(), try transaction.mirrorProgress())
      (intake.caughtUpAt, intake.firstCaughtUpAt, intake.lastWalkAt) = (now, now, now)
      // Else intake would wait for a sweep of the referrals, to know with which orders to begin.
      intake.isStartFixed = true
      try transaction.setIntakeProgress(intake)
      (mirror.completeSweepBeganAt, mirror.completeSweepEndedAt, mirror.currentSince) = (now, now, now)
      mirror.walks[.full] = MirrorWalk(beganAt: now, reads: 1, busy: .zero)
      mirror.walks[.quarterHour] = MirrorWalk(beganAt: now, reads: 1, busy: .zero)
      try transaction.setMirrorProgress(mirror)
    }
  }

  /// Runs matching until so many orders are queued.
  func decide(until count: Int, _ matching: Matching) async throws {
    let running = Task { try await matching.run() }
    while try await transaction({ try $0.outcomes(since: Timestamp(milliseconds: 0)) })[.queued] != count {
      try await Task.sleep(for: .milliseconds(5))
    }
    running.cancel()
    try await running.value
  }
}
