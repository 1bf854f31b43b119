import Conversions
import Logging

/// Reading one surveyed table, step by step, until it turns out to be another.
struct IntakeRun: Sendable {
  /// The time for which a transaction may stay the oldest one before a warning.
  static let horizonAgeMax = Duration.seconds(1800)
  /// The time between two looks of a start that waits for the referrals.
  static let startInterval = Duration.milliseconds(500)

  let context: PipelineContext
  let rules: AttributionRules
  private let settings: Intake.Settings
  private let survey: ShopSurvey
  private let known: KnownKeys

  var book: RangeBook
  /// Ranges whose last change is not stored yet, as it brought nothing.
  var unstored: [Int64: SweepRange] = [:]
  /// The time at which anything was last stored, by the clock that only runs forward.
  var storedAt: Duration?
  private var recentAt: Duration = .zero
  private var recentNotBefore: Duration = .zero
  private var sweepNotBefore: Duration = .zero
  private var forcedAt: Timestamp?
  private var lastStanding: (changes: UInt64, standing: IntakeStanding)?
  var recentPosition: String?
  var hasWalked = false
  var endSeen: UInt64
  private var zoneDoubt = ZoneDoubt()
  private var horizon: (number: UInt64, since: Duration)?
  var talliedAt: Timestamp?
  private var repeatedIDs = RepeatedIDCheck()

  init(
    context: PipelineContext, rules: AttributionRules, settings: Intake.Settings, survey: ShopSurvey,
    known: KnownKeys, ranges: [SweepRange], recentPosition: String?
  ) {
    self.context = context
    self.rules = rules
    self.settings = settings
    self.survey = survey
    self.known = known
    self.recentPosition = recentPosition
    book = RangeBook(ranges)
    endSeen = survey.moment.end
    talliedAt = book.wholeSince
  }

  /// The warnings that hold after a read.
  struct Warnings: Sendable {
    var passing: [String]
    /// Doubts about the mapping, which a person is to look at.
    var doubts: [String]
  }

  /// Reads what is due, or waits until something is. Returns the warnings that hold after a read; nil without one.
  mutating func step() async throws -> Warnings? {
    let (now, uptime) = (context.clock.now, context.clock.uptime)
    // Moves back a time in the future: after the clock was set back, it would have everything read again and again.
    forcedAt = forcedAt.map { min($0, now) }
    let standing = try await standing(now: now)
    guard standing.progress.isStartFixed else {
      try await context.clock.sleep(for: Self.startInterval)
      return nil
    }
    if try await repeatedIDs.step(standing, context, wait: settings.pollInterval) { return nil }
    if survey.hasRecent, uptime >= max(recentAt, recentNotBefore) { return try await readRecent(standing, now: now) }
    let pace = standing.pace(survey, settings, rules, now: now, forcedAt: forcedAt)
    let next = book.next(at: now, pace)
    if uptime >= sweepNotBefore, case .read(let piece) = next {
      return try await sweep(piece, standing, now: now, pace)
    }
    try await wait(next, now: now, uptime: uptime)
    return nil
  }

  /// Looks into the ledger only where it has changed since: a poll that brings nothing leaves it alone.
  private mutating func standing(now: Timestamp) async throws -> IntakeStanding {
    let (start, changes) = (settings.start, context.ledger.changes)
    if let known = lastStanding, known.changes == changes { return known.standing }
    let standing = try await context.ledger.transaction { transaction in
      try IntakeStanding(transaction, start: start, now: now)
    }
    lastStanding = (changes, standing)
    return standing
  }

  private mutating func wait(_ next: RangeBook.Step, now: Timestamp, uptime: Duration) async throws {
    var deadline = survey.hasRecent ? max(recentAt, recentNotBefore) : uptime + settings.pollInterval
    switch next {
    case .read: deadline = min(deadline, sweepNotBefore)
    case .wait(let until?): deadline = min(deadline, max(sweepNotBefore, uptime + (until - now)))
    case .wait(nil): deadline = min(deadline, uptime + Self.startInterval)
    }
    try await context.intakeWake.wait(until: deadline, clock: context.clock)
    guard context.clock.uptime < deadline else { return }
    // Notified before the deadline: something changed.
    recentAt = context.clock.uptime
    if !survey.hasRecent { forcedAt = context.clock.now }
  }

  private mutating func sweep(
    _ piece: SweepPiece, _ standing: IntakeStanding, now: Timestamp, _ pace: RangeBook.Pace
  ) async throws -> Warnings {
    let began = context.clock.uptime
    let page = try await context.orders.sweep(piece, of: survey, screen: standing.screen(rules, known, now: now))
    context.clock.heard(page.moment, askedAt: began)
    sweepNotBefore = context.clock.uptime + page.cost * (1 / settings.duty - 1)
    try check(page.moment)
    try await store(
      page.orders, counted: page.counted, page.moment, isBackfill: standing.progress.firstCaughtUpAt == nil,
      from: standing.progress.takesOrdersFrom
    ) { run, taken in
      let counted = taken.counted.merging(page.counted, uniquingKeysWith: +)
      for range in run.book.take(page, of: piece, counted: counted, beganAt: now) { run.unstored[range.number] = range }
    }
    let isWalk = !hasWalked
    if !hasWalked, book.isSwept(pace) { try await noteWalk() }
    zoneDoubt.observe(page.orders, passedOver: page.passedOver, readAt: page.moment.readAt, isWalk: isWalk)
    return Warnings(
      passing: page.warnings + horizonWarning(page.moment),
      doubts: [page.doubt, zoneWarning(page.moment, standing)].compactMap(\.self))
  }

  private mutating func readRecent(_ standing: IntakeStanding, now: Timestamp) async throws -> Warnings {
    let began = context.clock.uptime
    let page = try await context.orders.recent(
      after: recentPosition, of: survey, screen: standing.screen(rules, known, now: now))
    context.clock.heard(page.moment, askedAt: began)
    recentAt = began + settings.pollInterval
    // Gives a look without an index, which is a scan of the table, no more of the time than the sweep.
    let rest = 1 / settings.duty - 1
    recentNotBefore = context.clock.uptime + page.cost * (page.cost > .milliseconds(5) ? rest : min(rest, 9))
    try check(page.moment)
    try await store(page.orders, page.moment, isBackfill: false, from: standing.progress.takesOrdersFrom) { run, _ in
      run.recentPosition = page.position
    }
    if page.isCut { forcedAt = now }
    zoneDoubt.observe(page.orders, passedOver: page.passedOver, readAt: page.moment.readAt, isWalk: !hasWalked)
    return Warnings(
      passing: page.warnings + horizonWarning(page.moment),
      doubts: [page.doubt, zoneWarning(page.moment, standing)].compactMap(\.self))
  }

  /// Throws if the transaction counter went back: it is another server's, or one that was restored.
  private mutating func check(_ moment: SnapshotMoment) throws {
    guard moment.end >= endSeen else {
      throw OrderSourceFailure(kind: .changed, message: "the database's transaction counter went back")
    }
    endSeen = moment.end
  }

  /// Returns a warning if times are read in another zone than they were written in.
  private func zoneWarning(_ moment: SnapshotMoment, _ standing: IntakeStanding) -> String? {
    let start = standing.progress.takesOrdersFrom
    return zoneDoubt.warning(at: moment.readAt, isLocal: survey.hasLocalTimes, start: start)
  }

  private mutating func horizonWarning(_ moment: SnapshotMoment) -> [String] {
    let uptime = context.clock.uptime
    if horizon?.number != moment.horizon || moment.horizon == moment.end { horizon = (moment.horizon, uptime) }
    guard let since = horizon?.since, uptime - since > Self.horizonAgeMax else { return [] }
    return [
      "a transaction in the shop's database has been open for half an hour or more: until it ends, more is read again "
        + "each time; see pg_stat_activity and pg_prepared_xacts"
    ]
  }
}
