public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that brings orders from the shop's table into the ledger: by sweeps for truth, by looks for recent changes
/// for latency.
///
/// How far something was read is stored in the transaction that stores what came with it, so a crash anywhere reads
/// twice and never skips.
public struct Intake: Service {
  /// Where the first walk begins.
  public enum Start: Sendable, Hashable {
    /// With the oldest referral that is open when this ledger first meets the shop: no earlier order can match.
    case oldestOpenReferral
    /// Every order; one that no referral can match any more is decided at once.
    case everything
    /// Orders placed from the first start on.
    case firstStart
    /// Orders placed from a time on.
    case from(Timestamp)
  }

  /// How often what is read.
  public struct Settings: Sendable {
    /// Where the first walk begins.
    public var start: Start
    /// How often recent changes are looked for.
    public var pollInterval: Duration
    /// How often each range is swept.
    public var sweepInterval: Duration
    /// The part of the time that the sweep may keep the database busy; 1 for all of it.
    public var duty: Double
    /// How large the ledger may grow, in bytes; nil for any size.
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

  private let surroundings: Surroundings
  private let rules: AttributionRules
  private let settings: Settings

  /// An intake that reads as often as set, and at once when its bell rings.
  public init(_ surroundings: Surroundings, rules: AttributionRules, settings: Settings) {
    self.surroundings = surroundings
    self.rules = rules
    self.settings = settings
  }

  /// Reads until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    var outage = Outage(of: "reading orders", failed: .pollFailed, recovered: .pollRecovered)
    var told: Set<String> = []
    var run: IntakeRun?
    var room = LedgerRoom(sizeMax: settings.ledgerSizeMax)
    while !Task.isCancelled {
      do {
        guard try await room.look(surroundings) else {
          try await surroundings.clock.sleep(for: LedgerRoom.interval)
          continue
        }
        if run == nil { run = try await begin() }
        guard var current = run else { continue }
        let warnings = try await current.step()
        run = current
        guard let warnings else { continue }
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
        surroundings.vitals.well(.database, at: surroundings.clock.now)
        tell(warnings, &told)
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        let isChanged = (error as? OrderSourceFailure)?.kind == .changed
        // Another table, or a ledger that may not hold what this run believes: both are looked at anew.
        run = nil
        if !isChanged || outage.failures > 0 { await report(error, &outage) }
        // Two servers behind one address would be another one at each read.
        let wait = isChanged ? .zero : await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: max(wait, settings.pollInterval))
      }
    }
  }

  /// Surveys the table, and takes up the ledger's ranges where they are this table's.
  private func begin() async throws -> IntakeRun {
    let began = surroundings.clock.uptime
    let survey = try await surroundings.orders.survey()
    surroundings.clock.heard(survey.moment, askedAt: began)
    let known = try await surroundings.ledger.knownKeys()
    let now = surroundings.clock.now
    let (ranges, position, isOther) = try await surroundings.ledger.transaction {
      transaction -> ([SweepRange], String?, Bool) in
      if let source = survey.source { try transaction.noteSurveyedSource(source) }
      var progress = try transaction.intakeProgress()
      let isSetBack = progress.endSeen.map { $0 > survey.moment.end } ?? false
      // What it shows is older than what is known: taken in, it would undo orders that are about to be sent.
      if isSetBack, survey.isStandby {
        throw OrderSourceFailure(
          kind: .transient,
          message: "the server that answers is a standby, and behind what was read before: orders are read when it has "
            + "caught up; does orders.connection lead to several servers?")
      }
      let isOther = progress.identity != nil && (progress.identity != survey.identity || isSetBack)
      if progress.identity != survey.identity || isSetBack {
        try transaction.removeRanges()
        (progress.identity, progress.endSeen, progress.recentPosition) = (survey.identity, nil, nil)
        (progress.noted, progress.settled) = (nil, nil)
        // Old orders are read once a complete sweep of the referrals has begun after this.
        try transaction.wantFullSweep(at: now)
      }
      if progress.noted == nil, progress.settled == nil {
        progress.noted = .init(horizon: survey.moment.horizon, takenAt: now)
      }
      try transaction.setIntakeProgress(progress)
      try transaction.noteSight(survey.sight, at: now)
      return (try transaction.ranges(), progress.recentPosition, isOther)
    }
    let how = survey.method == .versions ? "row versions" : "hashes"
    surroundings.log.event(
      isOther ? .tableChanged : .following, .notice,
      isOther
        ? "the shop's table, its server or the mapping is another one than before; every order is read again by \(how)"
        : "orders are followed by \(how): \(survey.because)")
    surroundings.surveyBell.ring()
    surroundings.mirrorBell.ring()
    return IntakeRun(
      surroundings: surroundings, rules: rules, settings: settings, survey: survey, known: known, ranges: ranges,
      recentPosition: position)
  }

  /// Tells of each warning once for as long as it lasts.
  private func tell(_ warnings: [String], _ told: inout Set<String>) {
    for warning in warnings where !told.contains(warning) { surroundings.log.event(.pollWarning, .warning, warning) }
    told = Set(warnings)
  }

  private func report(_ error: any Error, _ outage: inout Outage) async {
    let failure = error as? OrderSourceFailure
    let message = failure.map(\.message) ?? "\(error)"
    surroundings.vitals.ill(failure == nil ? .ledger : .database, message, at: surroundings.clock.now)
    let needsPerson = failure?.kind == .mapping || failure?.kind == .permission
    outage.fail(
      message, level: needsPerson ? .error : .warning, at: surroundings.clock.uptime, log: surroundings.log,
      fields: ["sqlstate": failure?.sqlState, "reason": failure?.kind.rawValue])
  }
}
