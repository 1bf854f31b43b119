public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that brings orders from the shop's table into the ledger: by sweeps for truth, by looks for recent changes
/// for latency.
///
/// Stores how far something was read in the transaction that stores what came with it, so a crash anywhere reads twice
/// and never skips.
public struct Intake: Service {
  /// The start of the first walk.
  public enum Start: Sendable, Hashable {
    /// The oldest referral that is open when this ledger first meets the shop: no earlier order can match.
    case oldestOpenReferral
    /// Every order; one that no referral can match any more is decided at once.
    case everything
    /// Orders placed from the first start on.
    case firstStart
    /// Orders placed from a time on.
    case from(Timestamp)
  }

  /// The settings of the intake.
  public struct Settings: Sendable {
    /// The start of the first walk.
    public var start: Start
    /// The time between two looks for recent changes.
    public var pollInterval: Duration
    /// The time between two sweeps of a range.
    public var sweepInterval: Duration
    /// The part of the time that the sweep may keep the database busy; 1 for all of it.
    public var duty: Double
    /// The size to which the ledger may grow, in bytes; nil for any size.
    public var ledgerSizeMax: Int64?

    /// Settings as configured.
    public init(
      start: Start, pollInterval: Duration, sweepInterval: Duration, duty: Double = 0.01, ledgerSizeMax: Int64? = nil
    ) {
      self.ledgerSizeMax = ledgerSizeMax
      self.start = start
      self.pollInterval = pollInterval
      self.sweepInterval = sweepInterval
      self.duty = duty
    }
  }

  private let context: PipelineContext
  private let rules: AttributionRules
  private let settings: Settings

  /// An intake that reads as often as set, and at once when its signal is notified.
  public init(_ context: PipelineContext, rules: AttributionRules, settings: Settings) {
    self.context = context
    self.rules = rules
    self.settings = settings
  }

  /// Reads until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    var logged: Set<String> = []
    var run: IntakeRun?
    var room = LedgerRoom(sizeMax: settings.ledgerSizeMax)
    let outage = Outage(of: "reading orders", failed: .pollFailed, recovered: .pollRecovered)
    var retrying = RetryingLoop(context, .readingOrders, outage: outage)
    await retrying.run { retrying in
      guard try await room.look(context) else { return try await context.clock.sleep(for: LedgerRoom.interval) }
      var current = if let run { run } else { try await begin() }
      run = current
      let warnings = try await current.step()
      run = current
      guard let warnings else { return }
      retrying.succeed(.database)
      log(warnings.passing + warnings.doubts, &logged)
      context.health.note(doubts: warnings.doubts)
    } failure: { error in
      // Begins anew: the table may be another one, or the ledger may not hold what this run believes.
      run = nil
      return describe(error)
    }
  }

  /// Surveys the table, and takes up the ledger's ranges where they are this table's.
  private func begin() async throws -> IntakeRun {
    let began = context.clock.uptime
    let survey = try await context.orders.survey()
    context.clock.heard(survey.moment, askedAt: began)
    let known = try await context.ledger.knownKeys()
    let now = context.clock.now
    let (ranges, position, change) = try await context.ledger.transaction {
      transaction -> ([SweepRange], String?, Change?) in
      if let source = survey.source { try transaction.noteSurveyedSource(source) }
      var progress = try transaction.intakeProgress()
      let isSetBack = progress.endSeen.map { $0 > survey.moment.end } ?? false
      // Refuses a standby that is behind: its older rows would undo orders that are about to be sent.
      if isSetBack, survey.isStandby {
        throw OrderSourceFailure(
          kind: .transient,
          message: "the server that answers is a standby, and behind what was read before: orders are read when it has "
            + "caught up; does orders.connection lead to several servers?")
      }
      let change = Change(from: progress.identity, to: survey, isSetBack: isSetBack)
      if progress.identity != survey.identity || isSetBack {
        try transaction.removeRanges()
        (progress.identity, progress.endSeen, progress.recentPosition) = (survey.identity, nil, nil)
        (progress.noted, progress.covered) = (nil, nil)
        // Old orders are read once a complete sweep of the referrals has begun after this.
        try transaction.changeMirrorProgress { $0.wantFullSweep(at: now) }
      }
      if progress.noted == nil, progress.covered == nil {
        progress.noted = .init(horizon: survey.moment.horizon, takenAt: now)
      }
      try transaction.setIntakeProgress(progress)
      try transaction.noteSight(survey.sight, at: now)
      return (try transaction.ranges(), progress.recentPosition, change)
    }
    log(change, survey)
    context.surveyWake.notify()
    context.mirrorWake.notify()
    return IntakeRun(
      context: context, rules: rules, settings: settings, survey: survey, known: known, ranges: ranges,
      recentPosition: position)
  }

  /// The change since the ledger's ranges were last read.
  private enum Change {
    /// The server was started again, and nothing else is known to be other than before.
    case restart
    case other

    init?(from identity: String?, to survey: ShopSurvey, isSetBack: Bool) {
      guard let identity, identity != survey.identity || isSetBack else { return nil }
      self = survey.isRestart(since: identity) && !isSetBack ? .restart : .other
    }
  }

  private func log(_ change: Change?, _ survey: ShopSurvey) {
    let how = survey.method == .versions ? "row versions" : "hashes"
    switch change {
    case nil: context.log.event(.following, .notice, "orders are followed by \(how): \(survey.because)")
    case .restart:
      context.log.event(
        .following, .notice, "the database server was restarted: every order is read again by \(how)",
        ["reason": "server_restarted"])
    case .other:
      context.log.event(
        .tableChanged, .notice,
        "the shop's table, its server or the mapping is another one than before; every order is read again by \(how)")
    }
  }

  /// Logs each warning once for as long as it lasts.
  private func log(_ warnings: [String], _ logged: inout Set<String>) {
    for warning in warnings where !logged.contains(warning) { context.log.event(.pollWarning, .warning, warning) }
    logged = Set(warnings)
  }

  private func describe(_ error: any Error) -> RetryingLoop.Failure {
    let failure = error as? OrderSourceFailure
    let needsPerson = failure?.kind == .mapping || failure?.kind == .permission
    // Waits at least a poll's interval: two servers behind one address would be another table at each read.
    return RetryingLoop.Failure(
      message: failure.map(\.message) ?? "\(error)", component: .database,
      level: needsPerson ? .error : .warning,
      fields: ["sqlstate": failure?.sqlState, "reason": failure?.kind.rawValue ?? "other"],
      isExpected: failure?.kind == .changed, waitMin: settings.pollInterval)
  }
}
