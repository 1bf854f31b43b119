import Conversions
import Logging

/// Reading one surveyed table, step by step, until it turns out to be another.
struct IntakeRun: Sendable {
  /// How long the same oldest transaction may last before somebody is told.
  static let horizonAgeMax = Duration.seconds(1800)
  /// How often a start that waits for the referrals looks whether they are there.
  static let startInterval = Duration.milliseconds(500)

  let surroundings: Surroundings
  let rules: AttributionRules
  private let settings: Intake.Settings
  private let survey: ShopSurvey
  private let known: KnownKeys

  var book: RangeBook
  /// Ranges whose last change is not stored yet, as it brought nothing.
  var unstored: [Int64: SweepRange] = [:]
  /// When anything was last stored, by the clock that only runs forward.
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
    surroundings: Surroundings, rules: AttributionRules, settings: Intake.Settings, survey: ShopSurvey,
    known: KnownKeys, ranges: [SweepRange], recentPosition: String?
  ) {
    self.surroundings = surroundings
    self.rules = rules
    self.settings = settings
    self.survey = survey
    self.known = known
    self.recentPosition = recentPosition
    book = RangeBook(ranges)
    endSeen = survey.moment.end
    talliedAt = book.wholeSince
  }

  /// Reads what is due, or waits until something is. Returns the warnings that hold after a read; nil without one.
  mutating func step() async throws -> [String]? {
    let (now, uptime) = (surroundings.clock.now, surroundings.clock.uptime)
    // Taken before the clock was set back: left ahead, it would have everything read again and again until then.
    forcedAt = forcedAt.map { min($0, now) }
    let standing = try await standing(now: now)
    guard standing.progress.isStartSettled else {
      try await surroundings.clock.sleep(for: Self.startInterval)
      return nil
    }
    if try await repeatedIDs.step(standing, surroundings, wait: settings.pollInterval) { return nil }
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
    let (start, changes) = (settings.start, surroundings.ledger.changes)
    if let known = lastStanding, known.changes == changes { return known.standing }
    let standing = try await surroundings.ledger.transaction { transaction in
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
    try await surroundings.intakeBell.wait(until: deadline, clock: surroundings.clock)
    guard surroundings.clock.uptime < deadline else { return }
    // Rung: something changed.
    recentAt = surroundings.clock.uptime
    if !survey.hasRecent { forcedAt = surroundings.clock.now }
  }

  private mutating func sweep(
    _ piece: SweepPiece, _ standing: IntakeStanding, now: Timestamp, _ pace: RangeBook.Pace
  ) async throws -> [String] {
    let began = surroundings.clock.uptime
    let page = try await surroundings.orders.sweep(piece, of: survey, screen: standing.screen(rules, known, now: now))
    surroundings.clock.heard(page.moment, askedAt: began)
    sweepNotBefore = surroundings.clock.uptime + page.cost * (1 / settings.duty - 1)
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
    return page.warnings + horizonWarning(page.moment) + zoneWarning(page.orders, page.moment, isWalk: isWalk)
  }

  private mutating func readRecent(_ standing: IntakeStanding, now: Timestamp) async throws -> [String] {
    let began = surroundings.clock.uptime
    let page = try await surroundings.orders.recent(
      after: recentPosition, of: survey, screen: standing.screen(rules, known, now: now))
    surroundings.clock.heard(page.moment, askedAt: began)
    recentAt = began + settings.pollInterval
    // Without an index it is a scan of the table, and gets no more of the time than the sweep.
    let rest = 1 / settings.duty - 1
    recentNotBefore = surroundings.clock.uptime + page.cost * (page.cost > .milliseconds(5) ? rest : min(rest, 9))
    try check(page.moment)
    try await store(page.orders, page.moment, isBackfill: false, from: standing.progress.takesOrdersFrom) { run, _ in
      run.recentPosition = page.position
    }
    if page.isCut { forcedAt = now }
    return page.warnings + horizonWarning(page.moment) + zoneWarning(page.orders, page.moment, isWalk: !hasWalked)
  }

  /// A transaction counter that went back is another server's, or one that was restored.
  private mutating func check(_ moment: SnapshotMoment) throws {
    guard moment.end >= endSeen else {
      throw OrderSourceFailure(kind: .changed, message: "the database's transaction counter went back")
    }
    endSeen = moment.end
  }

  /// Local times that are read in another zone than they were written in.
  private mutating func zoneWarning(_ orders: [SeenOrder], _ moment: SnapshotMoment, isWalk: Bool) -> [String] {
    guard survey.hasLocalTimes else { return [] }
    zoneDoubt.observe(orders, readAt: moment.readAt, isWalk: isWalk)
    return [zoneDoubt.warning(at: moment.readAt)].compactMap(\.self)
  }

  private mutating func horizonWarning(_ moment: SnapshotMoment) -> [String] {
    let uptime = surroundings.clock.uptime
    if horizon?.number != moment.horizon || moment.horizon == moment.end { horizon = (moment.horizon, uptime) }
    guard let since = horizon?.since, uptime - since > Self.horizonAgeMax else { return [] }
    return [
      "a transaction in the shop's database has been open for half an hour or more: until it ends, more is read again "
        + "each time; see pg_stat_activity and pg_prepared_xacts"
    ]
  }
}
