public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that keeps the ledger's copy of the API's referrals.
///
/// Open referrals are walked by age, the young often and the old seldom (`MirrorSchedule`), the newest conversions each
/// minute, and all four lists twice a day. A walk is taken page by page: between two pages a smaller one may come
/// first, and a page that can't be read is asked for again without losing what was walked before.
public struct ReferralMirror: Service {
  /// The time for which the first walk waits for the shop's table to be looked at.
  static let surveyWait = Duration.seconds(5)
  /// The longest sleep: a clock that was set must not keep the mirror from its work.
  private static let restMax = Duration.seconds(60)
  /// The most by which a walk may be ahead of a clock that was set back a little: until then it counts for nothing, and
  /// to read everything anew would cost more than that.
  private static let aheadMax = Duration.seconds(60)

  /// The time between two stores of a walk's place.
  private static let placeInterval = Duration.seconds(60)

  private let context: PipelineContext
  private let schedule: MirrorSchedule
  private var reading: ReferralReader { ReferralReader(context: context) }

  /// A mirror of what the context's API shows, which takes at most half of `readsPerMinute`.
  public init(_ context: PipelineContext, readsPerMinute: RateLimit = .perMinute(120)) {
    self.context = context
    schedule = MirrorSchedule(readsPerMinute)
  }

  /// Walks until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    let outage = Outage(
      of: "reading referrals", failed: .mirrorFailed, recovered: .mirrorRecovered, reporter: context.apiReporter)
    try? await context.surveyWake.wait(
      until: context.clock.uptime + Self.surveyWait, clock: context.clock)
    var run = makeRun()
    var retrying = RetryingLoop(context, .readingReferrals, outage: outage)
    await retrying.run { retrying in
      guard try await step(&run) else { return }
      retrying.succeed()
    } failure: {
      describe($0)
    }
  }

  /// Begins the walk that is due, and takes one page of those under way; false after a rest without any.
  private func step(_ run: inout MirrorRun) async throws -> Bool {
    try await followClock(&run)
    let progress = try await reading.progress()
    let now = context.clock.now
    // Follows a clock that was set back.
    run.startedAt = min(run.startedAt, now)
    if let tier = schedule.next(progress, now: now, startedAt: run.startedAt, running: run.running) {
      try await begin(tier, progress, &run)
    }
    guard !run.isIdle else {
      try await rest(progress, run)
      return false
    }
    try await advance(&run, progress)
    await recordHealth(progress)
    return true
  }

  /// Forgets what was done by a clock that has been set since, in this run or before it.
  func followClock(_ run: inout MirrorRun) async throws {
    let (jumps, progress) = (context.clock.jumps, try await reading.progress())
    let limit = context.clock.now + Self.aheadMax
    guard run.jumps != jumps || progress.walks.values.contains(where: { $0.beganAt > limit }) else {
      return
    }
    try await reading.forgetWhatLiesAhead()
    // Drops walks that began by the other clock, too: they would go on once an outage is over.
    run.walks.removeAll()
    run.jumps = jumps
  }

  func makeRun() -> MirrorRun {
    let clock = context.clock
    return MirrorRun(startedAt: clock.now, jumps: clock.jumps, pacing: schedule.pacing)
  }

  /// Runs one full sweep at once and at full speed, with what follows from it: for tests, as `run` walks in steps and by
  /// the schedule.
  ///
  /// - Throws: The first failure; `LedgerFailure`, or `CancellationError`.
  func sweep() async throws {
    var run = makeRun()
    run.pacing = nil
    try await begin(.full, try await reading.progress(), &run)
    while !run.isIdle { try await advance(&run, try await reading.progress()) }
  }

  /// Sleeps until a walk is due, or the signal is notified.
  private func rest(_ progress: MirrorProgress, _ run: MirrorRun) async throws {
    let now = context.clock.now
    let due = schedule.nextDueAt(progress, now: now, startedAt: run.startedAt)
    let wait = min(max(due - now, .milliseconds(100)), Self.restMax)
    try await context.mirrorWake.wait(until: context.clock.uptime + wait, clock: context.clock)
  }

  private func begin(_ tier: WalkTier, _ progress: MirrorProgress, _ run: inout MirrorRun) async throws {
    // Keeps the full sweep out of safe mode: it tries each time what the reference promises.
    let isSafe = progress.distrust != nil && tier != .full
    var walk = try await walk(tier, isSafe: isSafe, progress)
    walk.goOn(from: progress.place)
    run.walks.append(walk)
  }

  /// Stores the longest walk's place, once a minute: else a list that takes hours, or one instant of it, would never be
  /// read to its end between restarts.
  private func notePlace(_ run: inout MirrorRun) async throws {
    let uptime = context.clock.uptime
    guard let place = run.walks.lazy.compactMap(\.place).first else { return run.placedAt = nil }
    guard let placedAt = run.placedAt else { return run.placedAt = uptime }
    guard uptime - placedAt >= Self.placeInterval else { return }
    run.placedAt = uptime
    try await context.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      guard progress.distrust == nil else { return }
      progress.place = place
      try transaction.setMirrorProgress(progress)
    }
  }

  private func walk(_ tier: WalkTier, isSafe: Bool, _ progress: MirrorProgress) async throws -> WalkUnderWay {
    let known = isSafe ? try await context.ledger.transaction { try $0.referralCounts() } : [:]
    return WalkUnderWay(
      tier, isSafe: isSafe, progress: progress, known: known.values.reduce(0, +), now: context.clock.now)
  }

  /// Takes one page of the walk that goes on, or asks for one of the absent referrals.
  func advance(_ run: inout MirrorRun, _ progress: MirrorProgress) async throws {
    try Task.checkCancellation()
    if !progress.hasReadsToItself, let turn = run.pacing?.take(at: context.clock.uptime) {
      try await context.clock.sleep(until: turn)
    }
    guard let walk = run.walks.last else {
      // Removes it before it is asked for: one that can't be asked for must not keep the others waiting.
      return try await AbsentReferrals(context: context).ask(run.absent.removeFirst())
    }
    if let query = walk.query {
      let began = context.clock.uptime
      let (page, _) = try await reading.page(
        query, unlessSeenSince: walk.tier == .full ? walk.beganAt : nil,
        priority: walk.tier.isSmall ? .young : .background)
      run.walks[run.walks.count - 1].take(page, took: context.clock.uptime - began)
    }
    guard let walk = run.walks.last, walk.query == nil else { return try await notePlace(&run) }
    try await end(walk, &run)
    run.walks.removeAll { $0.tier == walk.tier && $0.query == nil }
  }

  /// Concludes a walk that came to its end.
  private func end(_ walk: WalkUnderWay, _ run: inout MirrorRun) async throws {
    if let fault = walk.fault {
      try await reading.distrust(fault)
    } else {
      try await reading.note(walk)
      try await WalkRecord(context: context, schedule: schedule).record(walk, startedAt: run.startedAt)
      guard walk.tier == .full, !walk.isSafe else { return }
      run.absent = try await AbsentReferrals(context: context).next(after: walk.beganAt)
    }
    let progress = try await reading.progress()
    guard progress.distrust != nil else { return }
    run.walks.append(try await self.walk(walk.tier, isSafe: true, progress, after: walk))
  }

  private func walk(
    _ tier: WalkTier, isSafe: Bool, _ progress: MirrorProgress, after earlier: WalkUnderWay
  ) async throws -> WalkUnderWay {
    var next = try await walk(tier, isSafe: isSafe, progress)
    next.add(earlier.record)
    return next
  }

  private func recordHealth(_ progress: MirrorProgress) async {
    let now = context.clock.now
    guard let fault = progress.distrust else { return context.health.succeeded(.referrals, at: now) }
    context.health.failed(.referrals, "safe mode: \(fault)", at: now)
  }

  private func describe(_ error: any Error) -> RetryingLoop.Failure {
    let failure = error as? ReadFailure
    let reason = failure?.haltReason(in: .listing)
    return RetryingLoop.Failure(
      message: reason?.withRemedy("\(error)") ?? "\(error)", component: .referrals,
      level: reason == nil ? .warning : .error, isHalt: reason != nil,
      fields: ["http_status": failure?.status.map(String.init), "reason": reason?.rawValue])
  }
}

extension MirrorProgress {
  /// True while no other task reads: before the first sweep, and after a start until all is fresh again, no order is
  /// sent for the first time. After a long outage that is a sweep of everything, which orders wait for.
  fileprivate var hasReadsToItself: Bool { completeSweepBeganAt == nil || currentSince == nil && distrust == nil }
}
