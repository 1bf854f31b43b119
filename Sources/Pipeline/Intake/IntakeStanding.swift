import Conversions

/// What of the ledger one step of the intake rests on.
struct IntakeStanding: Sendable {
  /// By how much the shop's clock may be behind the API's without an order being left out that matches.
  static let startMargin = Duration.seconds(3600)

  let progress: IntakeProgress
  let oldestOpen: Timestamp?
  /// What the shop is to be asked about.
  let repeatedIDs: [RepeatedID]

  /// Looks at how the mirror stands: a complete sweep of the referrals settles the start, and what was visible before.
  init(_ transaction: any LedgerTransaction, start: Intake.Start, now: Timestamp) throws {
    var progress = try transaction.intakeProgress()
    let swept = try transaction.mirrorProgress().completeSweepBeganAt
    let before = progress
    oldestOpen = try transaction.oldestOpenReferral()
    repeatedIDs = try transaction.repeatedIDs(limit: RepeatedIDCheck.idsMax)
    // A time that lies ahead was taken before the clock was set back; the horizon itself is no newer than now.
    if let noted = progress.noted, noted.takenAt > now {
      progress.noted?.takenAt = now
      try transaction.wantFullSweep(at: now)
    }
    if let noted = progress.noted, let swept, swept >= noted.takenAt {
      (progress.settled, progress.noted) = (noted, nil)
    }
    if !progress.isStartSettled, progress.settled != nil {
      progress.takesOrdersFrom =
        switch start {
        case .oldestOpenReferral: (oldestOpen ?? swept).map { $0 - Self.startMargin }
        case .everything: nil
        // Where the ledger was built anew that of the one before it.
        case .firstStart: progress.takesOrdersFrom ?? now
        case .from(let time): time
        }
      progress.isStartSettled = true
    }
    if progress != before { try transaction.setIntakeProgress(progress) }
    self.progress = progress
  }

  /// Which rows need no close look.
  func screen(_ rules: AttributionRules, _ known: KnownKeys, now: Timestamp) -> OrderScreen {
    OrderScreen(
      takesOrdersFrom: progress.takesOrdersFrom, oldBefore: now - rules.waitForReferral,
      settledHorizon: progress.settled?.horizon, known: known)
  }

  /// How often which range is read.
  func pace(
    _ survey: ShopSurvey, _ settings: Intake.Settings, _ rules: AttributionRules, now: Timestamp, forcedAt: Timestamp?
  ) -> RangeBook.Pace {
    let interval = survey.hasRecent ? settings.sweepInterval : min(settings.pollInterval, settings.sweepInterval)
    // Where nothing else brings new orders, they must not wait in a range that was full of old ones.
    let rare = survey.hasRecent ? max(interval, .seconds(86_400)) : interval
    let waiting = now - rules.waitForReferral
    return RangeBook.Pace(
      interval: interval, rareInterval: rare, mattersFrom: oldestOpen.map { min($0, waiting) } ?? waiting,
      // Old orders leave nothing behind once the mirror has had its word on them: before that they all would.
      readsNew: survey.method == .hashes || progress.settled != nil, forcedAt: forcedAt)
  }
}
