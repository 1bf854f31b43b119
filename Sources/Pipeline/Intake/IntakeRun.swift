import Conversions
import Logging

/// Reading one surveyed table, step by step, until it turns out to be another.
struct IntakeRun: Sendable {
  /// How long the same oldest transaction may last before somebody is told.
  static let horizonAgeMax = Duration.seconds(1800)
  /// How often marks are stored that brought nothing: an idle daemon need not sync the disk at each poll, and after a
  /// crash a little more is read again.
  static let idleStoreInterval = Duration.seconds(60)
  /// By how much the shop's clock may be behind the API's without an order being left out that matches.
  static let startMargin = Duration.seconds(3600)
  /// How often a start that waits for the referrals looks whether they are there.
  static let startInterval = Duration.milliseconds(500)

  private let surroundings: Surroundings
  private let rules: AttributionRules
  private let settings: Intake.Settings
  private let survey: ShopSurvey
  private let known: KnownKeys

  private var book: RangeBook
  /// Ranges whose last change is not stored yet, as it brought nothing.
  private var unstored: [Int64: SweepRange] = [:]
  private var storedAt: Duration?
  private var recentAt: Duration = .zero
  private var recentNotBefore: Duration = .zero
  private var sweepNotBefore: Duration = .zero
  private var forcedAt: Timestamp?
  private var recentPosition: String?
  private var hasRecentPosition = false
  private var hasWalked = false
  private var endSeen: UInt64 = 0
  private var horizon: (number: UInt64, since: Duration)?
  private var talliedAt: Timestamp?

  init(
    surroundings: Surroundings, rules: AttributionRules, settings: Intake.Settings, survey: ShopSurvey,
    known: KnownKeys, ranges: [SweepRange]
  ) {
    self.surroundings = surroundings
    self.rules = rules
    self.settings = settings
    self.survey = survey
    self.known = known
    book = RangeBook(ranges)
    endSeen = survey.moment.end
    talliedAt = book.wholeSince
  }

  /// Reads what is due, or waits until something is. Returns the warnings that hold after a read; nil without one.
  mutating func step() async throws -> [String]? {
    let state = try await settle()
    guard state.progress.isStartSettled else {
      try await surroundings.clock.sleep(for: Self.startInterval)
      return nil
    }
    let (now, uptime) = (surroundings.clock.now, surroundings.clock.uptime)
    let pace = pace(state, now: now)
    if survey.hasRecent, uptime >= max(recentAt, recentNotBefore) {
      return try await readRecent(state, now: now, pace)
    }
    let next = book.next(at: now, pace)
    if uptime >= sweepNotBefore, case .read(let piece) = next { return try await sweep(piece, state, now: now, pace) }
    try await wait(next, state, now: now, uptime: uptime)
    return nil
  }

  /// What of the ledger a step rests on.
  private struct State {
    var progress: IntakeProgress
    var oldestOpen: Timestamp?
  }

  /// Looks at how the mirror stands: a complete sweep of the referrals settles the start, and what was visible before.
  private func settle() async throws -> State {
    let (settings, now) = (settings, surroundings.clock.now)
    return try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.intakeProgress()
      let swept = try transaction.mirrorProgress().completeSweepBeganAt
      let before = progress
      if let noted = progress.noted, let swept, swept >= noted.takenAt {
        (progress.settled, progress.noted) = (noted, nil)
      }
      if !progress.isStartSettled, progress.settled != nil {
        switch settings.start {
        case .oldestOpenReferral:
          let oldest = try transaction.oldestOpenReferral() ?? swept
          progress.takesOrdersFrom = oldest.map { $0 - Self.startMargin }
        case .everything: progress.takesOrdersFrom = nil
        case .firstStart: progress.takesOrdersFrom = now
        case .from(let time): progress.takesOrdersFrom = time
        }
        progress.isStartSettled = true
      }
      if progress != before { try transaction.setIntakeProgress(progress) }
      return State(progress: progress, oldestOpen: try transaction.oldestOpenReferral())
    }
  }

  private func pace(_ state: State, now: Timestamp) -> RangeBook.Pace {
    let interval = survey.hasRecent ? settings.sweepInterval : min(settings.pollInterval, settings.sweepInterval)
    // Where nothing else brings new orders, they must not wait in a range that was full of old ones.
    let rare = survey.hasRecent ? max(interval, .seconds(86_400)) : interval
    let waiting = now - rules.waitForReferral
    return RangeBook.Pace(
      interval: interval, rareInterval: rare, mattersFrom: state.oldestOpen.map { min($0, waiting) } ?? waiting,
      // Old orders leave nothing behind once the mirror has had its word on them: before that they all would.
      readsNew: survey.method == .hashes || state.progress.settled != nil, forcedAt: forcedAt)
  }

  private func screen(_ state: State, now: Timestamp) -> OrderScreen {
    OrderScreen(
      takesOrdersFrom: state.progress.takesOrdersFrom, oldBefore: now - rules.waitForReferral,
      settledHorizon: state.progress.settled?.horizon, known: known)
  }

  private mutating func wait(
    _ next: RangeBook.Step, _ state: State, now: Timestamp, uptime: Duration
  ) async throws {
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
    _ piece: SweepPiece, _ state: State, now: Timestamp, _ pace: RangeBook.Pace
  ) async throws -> [String] {
    let page = try await surroundings.orders.sweep(piece, of: survey, screen: screen(state, now: now))
    sweepNotBefore = surroundings.clock.uptime + page.cost * (1 / settings.duty - 1)
    try check(page.moment)
    // The book moves on only after the ledger has.
    let before = book
    let isBackfill = state.progress.firstCaughtUpAt == nil
    try await store(page.orders, counted: page.counted, page.moment, isBackfill: isBackfill, state) {
      run, taken in
      var book = before
      let changed = book.take(
        page, of: piece, counted: taken.counted.merging(page.counted, uniquingKeysWith: +), beganAt: now)
      run.book = book
      for range in changed { run.unstored[range.number] = range }
    }
    if !hasWalked, book.isSwept(pace) {
      try await noteWalk()
    }
    return page.warnings + horizonWarning(page.moment)
  }

  private mutating func readRecent(_ state: State, now: Timestamp, _ pace: RangeBook.Pace) async throws -> [String] {
    let began = surroundings.clock.uptime
    if !hasRecentPosition { (recentPosition, hasRecentPosition) = (state.progress.recentPosition, true) }
    let page = try await surroundings.orders.recent(
      after: recentPosition, of: survey, screen: screen(state, now: now))
    recentAt = began + settings.pollInterval
    // Without an index it is a scan of the table, and gets no more of the time than the sweep.
    let rest = 1 / settings.duty - 1
    recentNotBefore = surroundings.clock.uptime + page.cost * (page.cost > .milliseconds(5) ? rest : min(rest, 9))
    try check(page.moment)
    try await store(page.orders, counted: [:], page.moment, isBackfill: false, state) { run, _ in
      run.recentPosition = page.position
    }
    if page.isCut { forcedAt = now }
    return page.warnings + horizonWarning(page.moment)
  }

  /// A transaction counter that went back is another server's, or one that was restored.
  private mutating func check(_ moment: SnapshotMoment) throws {
    guard moment.end >= endSeen else {
      throw OrderSourceFailure(kind: .changed, message: "the database's transaction counter went back")
    }
    endSeen = moment.end
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

  /// Stores what a read brought, and how far it came, in one transaction; `advance` tells the latter.
  private mutating func store(
    _ orders: [SeenOrder], counted: [Outcome: Int], _ moment: SnapshotMoment, isBackfill: Bool, _ state: State,
    advance: @escaping @Sendable (inout IntakeRun, OrderTaking.Taken) -> Void
  ) async throws {
    let (now, uptime) = (surroundings.clock.now, surroundings.clock.uptime)
    let taking = OrderTaking(rules: rules, now: now, isBackfill: isBackfill)
    // Counts are something, too: a backlog of nothing else must not begin anew at each restart.
    let isIdle = counted.isEmpty && storedAt.map { uptime - $0 < Self.idleStoreInterval } ?? false
    var next = self
    if orders.isEmpty, isIdle {
      advance(&next, OrderTaking.Taken())
      self = next
      return
    }
    let start = next
    let (stored, taken) = try await surroundings.ledger.transaction { transaction -> (IntakeRun, OrderTaking.Taken) in
      var run = start
      let taken = try taking.take(orders, from: state.progress.takesOrdersFrom, transaction)
      advance(&run, taken)
      if taken.changes > 0 || !isIdle { try run.store(moment, at: now, transaction) }
      if taken.decided.contains(where: \.waitsForSweep) {
        var mirror = try transaction.mirrorProgress()
        mirror.fullSweepWantedAt = now
        try transaction.setMirrorProgress(mirror)
      }
      return (run, taken)
    }
    self = stored
    if taken.changes > 0 || !isIdle { storedAt = uptime }
    await tell(taken)
  }

  /// Writes down how far reading has come.
  private mutating func store(
    _ moment: SnapshotMoment, at now: Timestamp, _ transaction: any LedgerTransaction
  ) throws {
    for range in unstored.values { try transaction.setRange(range) }
    unstored = [:]
    var progress = try transaction.intakeProgress()
    progress.lastPageAt = now
    progress.endSeen = endSeen
    progress.noteClock(moment.readAt - now)
    if hasRecentPosition { progress.recentPosition = recentPosition }
    if progress.noted == nil { progress.noted = .init(horizon: moment.horizon, takenAt: now) }
    try transaction.setIntakeProgress(progress)
    // Once each range has counted anew, what was counted beside them is in their counts.
    if let whole = book.wholeSince, talliedAt.map({ whole > $0 }) ?? true {
      try transaction.clearTallies()
      talliedAt = now
    }
  }

  /// Everything that may have changed since the start was read.
  private mutating func noteWalk() async throws {
    let now = surroundings.clock.now
    let start = self
    self = try await surroundings.ledger.transaction { transaction in
      var run = start
      for range in run.unstored.values { try transaction.setRange(range) }
      run.unstored = [:]
      var progress = try transaction.intakeProgress()
      progress.lastWalkAt = now
      try transaction.setIntakeProgress(progress)
      return run
    }
    hasWalked = true
    await surroundings.matchingBell.ring()
  }

  private func tell(_ taken: OrderTaking.Taken) async {
    for decided in taken.decided { decided.log(to: surroundings.log) }
    for order in taken.reused {
      surroundings.log.event(
        .review, .error, "order \(order) was reported, and has come back with another time of placing",
        ["order": order, "reason": ReviewReason.idReused.rawValue])
    }
    guard taken.changes > 0 else { return }
    await surroundings.vitals.well(.ledger, at: surroundings.clock.now)
    await surroundings.matchingBell.ring()
    if taken.decided.contains(where: \.waitsForSweep) { await surroundings.mirrorBell.ring() }
    if taken.decided.contains(where: { $0.decision.outcome == .queued }) { await surroundings.deliveryBell.ring() }
  }
}
