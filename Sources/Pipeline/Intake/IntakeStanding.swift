import Conversions

/// The facts of the ledger that one step of the intake rests on.
struct IntakeStanding: Sendable {
  /// The most by which the shop's clock may be behind the API's without an order being left out that matches.
  static let startMargin = Duration.seconds(3600)

  let progress: IntakeProgress
  let oldestOpen: Timestamp?
  /// The order IDs that the shop is to be asked about.
  let repeatedIDs: [RepeatedID]

  /// Reads the mirror's progress: a complete sweep of the referrals fixes the start, and covers all that was
  /// visible before.
  init(_ transaction: any LedgerTransaction, start: Intake.Start, now: Timestamp) throws {
    var progress = try transaction.intakeProgress()
    let swept = try transaction.mirrorProgress().completeSweepBeganAt
    let before = progress
    oldestOpen = try transaction.oldestOpenReferral()
    repeatedIDs = try transaction.repeatedIDs(limit: RepeatedIDCheck.idsMax)
    // Moves back a time in the future, taken before the clock was set back; the horizon itself is no newer than now.
    if let noted = progress.noted, noted.takenAt > now {
      progress.noted?.takenAt = now
      try transaction.changeMirrorProgress { $0.wantFullSweep(at: now) }
    }
    if let noted = progress.noted, let swept, swept >= noted.takenAt {
      (progress.covered, progress.noted) = (noted, nil)
    }
    if !progress.isStartFixed, progress.covered != nil {
      progress.takesOrdersFrom =
        switch start {
        case .oldestOpenReferral: (oldestOpen ?? swept).map { $0 - Self.startMargin }
        case .everything: nil
        // Keeps the start of the ledger before it, if this one was built anew.
        case .firstStart: progress.takesOrdersFrom ?? now
        case .from(let time): time
        }
      progress.takesOrdersFrom = [progress.takesOrdersFrom, progress.acceptedFrom].compactMap(\.self).max()
      progress.isStartFixed = true
    }
    if progress != before { try transaction.setIntakeProgress(progress) }
    self.progress = progress
  }

  /// Returns the screen that rules out rows which need no close look.
  func screen(_ rules: AttributionRules, _ known: KnownKeys, now: Timestamp) -> OrderScreen {
    OrderScreen(
      takesOrdersFrom: progress.takesOrdersFrom, oldBefore: now - rules.waitForReferral,
      coveredHorizon: progress.covered?.horizon, known: known)
  }

  /// Returns the intervals at which ranges are read.
  func pace(
    _ survey: ShopSurvey, _ settings: Intake.Settings, _ rules: AttributionRules, now: Timestamp, forcedAt: Timestamp?
  ) -> RangeBook.Pace {
    let interval = survey.hasRecent ? settings.sweepInterval : min(settings.pollInterval, settings.sweepInterval)
    // Reads all ranges alike if nothing else brings new orders: they must not wait in a range full of old ones.
    let rare = survey.hasRecent ? max(interval, .seconds(86_400)) : interval
    let waiting = now - rules.waitForReferral
    return RangeBook.Pace(
      interval: interval, rareInterval: rare, mattersFrom: oldestOpen.map { min($0, waiting) } ?? waiting,
      // Waits for a complete sweep of the referrals: before it, each old order would leave an entry in the ledger.
      readsNew: survey.method == .hashes || progress.covered != nil, forcedAt: forcedAt)
  }
}
