public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that keeps the ledger's copy of the API's referrals.
///
/// Open referrals are walked by age, the young often and the old seldom (`MirrorSchedule`), the newest conversions each
/// minute, and all four lists twice a day. A walk is taken page by page: between two pages a smaller one may come
/// first, and a page that can't be read is asked for again without losing what was walked before.
public struct ReferralMirror: Service {
  /// How long the first walk waits for the shop's table to be looked at.
  static let surveyWait = Duration.seconds(5)
  /// The longest sleep: a clock that was set must not keep the mirror from its work.
  private static let restMax = Duration.seconds(60)
  /// How far a walk may lie ahead of a clock that was set back a little: until then it counts for nothing, and to read
  /// everything anew would cost more than that.
  private static let aheadMax = Duration.seconds(60)

  /// How often a walk's place is stored.
  private static let placeInterval = Duration.seconds(60)

  private let surroundings: Surroundings
  private let schedule: MirrorSchedule
  private var reading: ReferralReading { ReferralReading(surroundings: surroundings) }

  /// A mirror of what the surroundings' API shows, which takes at most half of `readsPerMinute`.
  public init(_ surroundings: Surroundings, readsPerMinute: RateLimit = .perMinute(120)) {
    self.surroundings = surroundings
    schedule = MirrorSchedule(readsPerMinute)
  }

  /// Walks until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    var outage = Outage(
      of: "reading referrals", failed: .mirrorFailed, recovered: .mirrorRecovered, voice: surroundings.apiVoice)
    try? await surroundings.surveyBell.wait(
      until: surroundings.clock.uptime + Self.surveyWait, clock: surroundings.clock)
    var run = makeRun()
    while !Task.isCancelled {
      do {
        try await followClock(&run)
        let progress = try await reading.progress()
        let now = surroundings.clock.now
        // A clock that was set back.
        run.startedAt = min(run.startedAt, now)
        if let tier = schedule.next(progress, now: now, startedAt: run.startedAt, running: run.running) {
          try await begin(tier, progress, &run)
        }
        guard !run.isIdle else {
          try await rest(progress, run)
          continue
        }
        try await advance(&run, progress)
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
        await tellHealth(progress)
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        await report(error, &outage)
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: wait)
      }
    }
  }

  /// Forgets what was done by a clock that has been set since, in this run or before it.
  func followClock(_ run: inout MirrorRun) async throws {
    let (jumps, progress) = (surroundings.clock.jumps, try await reading.progress())
    let limit = surroundings.clock.now + Self.aheadMax
    guard run.jumps != jumps || progress.walks.values.contains(where: { $0.beganAt > limit }) else {
      return
    }
    try await reading.forgetWhatLiesAhead()
    // Nor is a walk to be believed that the other clock has begun, and that goes on once an outage is over.
    run.walks.removeAll()
    run.jumps = jumps
  }

  func makeRun() -> MirrorRun {
    let clock = surroundings.clock
    return MirrorRun(startedAt: clock.now, jumps: clock.jumps, pacing: schedule.pacing)
  }

  /// One full sweep at once and at full speed, with what follows from it.
  ///
  /// - Throws: The first failure; `LedgerFailure`, or `CancellationError`.
  func sweep() async throws {
    var run = makeRun()
    run.pacing = nil
    try await begin(.full, try await reading.progress(), &run)
    while !run.isIdle { try await advance(&run, try await reading.progress()) }
  }

  /// Sleeps until a walk is due, or the bell rings.
  private func rest(_ progress: MirrorProgress, _ run: MirrorRun) async throws {
    let now = surroundings.clock.now
    let due = schedule.nextDueAt(progress, now: now, startedAt: run.startedAt)
    let wait = min(max(due - now, .milliseconds(100)), Self.restMax)
    try await surroundings.mirrorBell.wait(until: surroundings.clock.uptime + wait, clock: surroundings.clock)
  }

  private func begin(_ tier: MirrorTier, _ progress: MirrorProgress, _ run: inout MirrorRun) async throws {
    // The full sweep tries the list's own way each time.
    let isSafe = progress.distrust != nil && tier != .full
    var walk = try await walk(tier, isSafe: isSafe, progress)
    walk.goOn(from: progress.place)
    run.walks.append(walk)
  }

  /// Stores where the longest walk is, once a minute: of a list that takes hours, or one instant of it, a restart would
  /// else never see the end.
  private func notePlace(_ run: inout MirrorRun) async throws {
    let uptime = surroundings.clock.uptime
    guard let place = run.walks.lazy.compactMap(\.place).first else { return run.placedAt = nil }
    guard let placedAt = run.placedAt else { return run.placedAt = uptime }
    guard uptime - placedAt >= Self.placeInterval else { return }
    run.placedAt = uptime
    try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      guard progress.distrust == nil else { return }
      progress.place = place
      try transaction.setMirrorProgress(progress)
    }
  }

  private func walk(_ tier: MirrorTier, isSafe: Bool, _ progress: MirrorProgress) async throws -> WalkUnderWay {
    let known = isSafe ? try await surroundings.ledger.transaction { try $0.referralCounts() } : [:]
    return WalkUnderWay(
      tier, isSafe: isSafe, progress: progress, known: known.values.reduce(0, +), now: surroundings.clock.now)
  }

  /// Takes one page of the walk that goes on, or asks for one of the absent.
  func advance(_ run: inout MirrorRun, _ progress: MirrorProgress) async throws {
    try Task.checkCancellation()
    if !progress.hasReadsToItself, let turn = run.pacing?.take(at: surroundings.clock.uptime) {
      try await surroundings.clock.sleep(until: turn)
    }
    guard let walk = run.walks.last else {
      // Taken off before it is asked for: one that can't be asked for must not keep the others waiting.
      return try await AbsentReferrals(surroundings: surroundings).ask(run.absent.removeFirst())
    }
    if let query = walk.query {
      let began = surroundings.clock.uptime
      let (page, _) = try await reading.page(
        query, unlessSeenSince: walk.tier == .full ? walk.beganAt : nil,
        priority: walk.tier.isSmall ? .young : .background)
      run.walks[run.walks.count - 1].take(page, took: surroundings.clock.uptime - began)
    }
    guard let walk = run.walks.last, walk.query == nil else { return try await notePlace(&run) }
    try await end(walk, &run)
    run.walks.removeAll { $0.tier == walk.tier && $0.query == nil }
  }

  /// What follows from a walk that came to its end.
  private func end(_ walk: WalkUnderWay, _ run: inout MirrorRun) async throws {
    if let fault = walk.fault {
      try await reading.distrust(fault)
    } else {
      try await reading.note(walk)
      try await WalkSettling(surroundings: surroundings, schedule: schedule).settle(walk, startedAt: run.startedAt)
      guard walk.tier == .full, !walk.isSafe else { return }
      run.absent = try await AbsentReferrals(surroundings: surroundings).next(after: walk.beganAt)
    }
    let progress = try await reading.progress()
    guard progress.distrust != nil else { return }
    run.walks.append(try await self.walk(walk.tier, isSafe: true, progress, after: walk))
  }

  private func walk(
    _ tier: MirrorTier, isSafe: Bool, _ progress: MirrorProgress, after earlier: WalkUnderWay
  ) async throws -> WalkUnderWay {
    var next = try await walk(tier, isSafe: isSafe, progress)
    next.add(earlier.record)
    return next
  }

  private func tellHealth(_ progress: MirrorProgress) async {
    let now = surroundings.clock.now
    guard let fault = progress.distrust else { return surroundings.vitals.well(.referrals, at: now) }
    surroundings.vitals.ill(.referrals, "safe mode: \(fault)", at: now)
  }

  private func report(_ error: any Error, _ outage: inout Outage) async {
    let failure = error as? ReadFailure
    surroundings.vitals.ill(failure == nil ? .ledger : .referrals, "\(error)", at: surroundings.clock.now)
    let reason = failure?.haltReason(in: .listing)
    outage.fail(
      "\(error)", level: reason == nil ? .warning : .error, isHalt: reason != nil, at: surroundings.clock.uptime,
      log: surroundings.log, fields: ["http_status": failure?.status.map(String.init), "reason": reason?.rawValue])
  }
}

extension MirrorProgress {
  /// Whether nobody else reads: before the first sweep, and after a start until all is fresh again, no order is sent for
  /// the first time. After a long outage that is a sweep of everything, which orders wait for.
  fileprivate var hasReadsToItself: Bool { completeSweepBeganAt == nil || currentSince == nil && distrust == nil }
}
