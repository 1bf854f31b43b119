public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that sends what is queued, through the pacer: one order at a time until the API takes them, then as many at
/// once as the pacer lets through.
///
/// Its safety rests on the order of its steps: wait for the pacer, look at the order again, freeze the report and mark
/// the send in the ledger, send, store what came of it. A crash between any two of these is an unknown outcome at
/// worst, and an unknown outcome is sent again with the same bytes.
public struct Delivery: Service {
  /// The settings of delivery.
  public struct Settings: Sendable {
    /// The time for which an order is tried before a person is asked.
    public var giveUpAfter: Duration
    /// True if nothing is to be sent, only logged.
    public var isDryRun: Bool
    /// The time for which a send under way may go on once the daemon is told to stop.
    public var stopGrace: Duration

    /// Settings as configured.
    public init(giveUpAfter: Duration, isDryRun: Bool = false, stopGrace: Duration = .seconds(10)) {
      self.giveUpAfter = giveUpAfter
      self.isDryRun = isDryRun
      self.stopGrace = stopGrace
    }
  }

  /// The time until the next look at a queue that holds only orders that are due and can't be sent yet.
  private static let overdueWait = Duration.seconds(15)

  private let context: PipelineContext
  private let settings: Settings
  private let runner: AttemptRunner
  private let keys: [MatchingKey]

  /// A delivery with the rules by which changed orders are decided anew.
  public init(_ context: PipelineContext, rules: AttributionRules, settings: Settings) {
    self.context = context
    self.settings = settings
    keys = rules.keys
    runner = AttemptRunner(context, rules: rules, settings: settings)
  }

  /// Sends until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    await withDiscardingTaskGroup { attempts in
      var window = SendWindow(context, keys: keys)
      var retrying = RetryingLoop(
        context, .delivery, outage: Outage(of: "delivery", failed: .deferred, recovered: .apiRecovered),
        shopOutage: Outage(
          of: "looking at orders before their reports", failed: .pollFailed, recovered: .pollRecovered))
      await retrying.run { retrying in
        try await drain(&window, &retrying)
        let ended = window.ended
        try await step(&window, &retrying) { queued, permit in
          let runner = runner
          attempts.addTask { ended.add(await runner.run(queued, permit: permit), of: queued.entry) }
        }
        // Waits for the end of what is under way: until then it is unknown whether anything works.
        if window.inFlight.isEmpty { retrying.succeed() }
      } failure: { error in
        window.narrow()
        // Looks for interrupted sends again: the result of a send may be the very thing that couldn't be stored.
        window.hasRecovered = false
        return describe(error)
      }
    }
  }

  private func describe(_ error: any Error) -> RetryingLoop.Failure {
    guard let failure = error as? OrderSourceFailure else {
      return RetryingLoop.Failure(message: "\(error)", component: .delivery)
    }
    return RetryingLoop.Failure(
      message: failure.message, component: .database, level: .warning,
      fields: ["sqlstate": failure.sqlState, "reason": failure.kind.rawValue])
  }

  /// Takes in what came of the attempts that have ended.
  ///
  /// - Throws: The failure of one of them; `LedgerFailure`.
  private func drain(_ window: inout SendWindow, _ retrying: inout RetryingLoop) async throws {
    var failure: (any Error)?
    for (entry, end) in window.ended.take() {
      let isLate = window.end(entry)
      do {
        try await take(end, of: entry, isLate: isLate, &window, &retrying)
      } catch {
        // Takes in the others as well, whatever became of this one.
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func take(
    _ end: AttemptRunner.AttemptEnd, of entry: EntryID, isLate: Bool, _ window: inout SendWindow,
    _ retrying: inout RetryingLoop
  ) async throws {
    switch end {
    case .notSent:
      retrying.succeed()
      window.noteNothing(of: entry)
    case .unseen(let failure):
      retrying.succeed()
      await window.note(failure, isLate: isLate, wait: wait(afterFailures:), context)
      try await putOff(failure, window)
    case .sent(let ended):
      retrying.succeed()
      await window.note(ended, isLate: isLate, wait: wait(afterFailures:), context)
      try await window.conflicts.note(ended, context)
      if let refusal = window.breaker.refusal { try await window.gate.halt(refusal.reason, refusal.detail) }
    case .failed(let refusal as SendingRefusal):
      window.narrow()
      try await window.gate.halt(refusal.reason, refusal.detail)
    case .failed(let error): throw error
    }
  }

  /// Returns the time for which sending rests after so many failures in a row.
  private func wait(afterFailures failures: Int) async -> Duration {
    await context.jitter.wait(.delivery, afterFailures: failures)
  }

  /// Puts off an order that could not be looked at. While sending is out of order all sending waits, and the order
  /// keeps its place, so that the queue is still in order when the API is back.
  private func putOff(_ failure: LookFailure, _ window: SendWindow) async throws {
    let later = context.clock.now + ReferralQuestion.wait
    let until = window.breaker.failures > 0 ? failure.order.dueAt ?? later : later
    context.health.failed(.delivery, "\(failure)", at: context.clock.now)
    try await context.ledger.transaction {
      try $0.postpone(failure.order.entry, until: until, reason: LookFailure.reason, detail: "\(failure)")
    }
    context.logPutOff(failure.order, reason: LookFailure.reason, "\(failure)", until: until)
  }

  /// Recovers sends that are marked as under way, and aren't. They may have been done: the daemon ended during them, or
  /// their result couldn't be stored. Returns false while there are some that are under way indeed.
  private func recover(_ window: inout SendWindow) async throws -> Bool {
    let jumps = context.clock.jumps
    if window.hasRecovered, window.repairedAt == jumps { return true }
    guard window.inFlight.isEmpty else {
      try await sleep(until: nil)
      return false
    }
    let dueTimes = DueTimeRepair(
      now: context.clock.now, isAfterJump: jumps > 0, memory: context.clock.memory)
    let isRepaired = window.repairedAt == jumps || settings.isDryRun
    let (count, interrupted) = try await context.ledger.transaction { transaction in
      if !isRepaired { try dueTimes.repair(transaction) }
      let sending = try transaction.entries(EntryFilter(outcomes: [.sending]))
      return (try transaction.recoverInterruptedSends(at: dueTimes.now), sending)
    }
    (window.hasRecovered, window.repairedAt) = (true, jumps)
    if !isRepaired { context.matchingWake.notify() }
    guard count > 0 else { return true }
    let reason = QueuedReason.interrupted.rawValue
    context.log.event(
      .deferred, .notice, "\(count) sends were interrupted; the same bytes are sent again", ["reason": reason])
    for order in interrupted {
      context.logPutOff(order, reason: reason, "its send was interrupted, and is done again", until: dueTimes.now)
    }
    return true
  }

  /// Goes one step on: recovers, probes, begins an attempt, or sleeps until there is something to do.
  private func step(
    _ window: inout SendWindow, _ retrying: inout RetryingLoop, begin: (LedgerOrder, SendPermit) -> Void
  ) async throws {
    guard try await recover(&window), try await window.gate.isFree() else { return }
    guard window.inFlight.count < window.width else { return try await sleep(until: nil) }
    if let rest = window.rest(at: context.clock.uptime) {
      // Ignores signals, as there may be much to send.
      try await context.clock.sleep(until: rest)
      return window.remind(context)
    }
    // Lets a dry run go on in any case, as it sends nothing.
    guard try await window.isOurAccount(wait: wait(afterFailures:), context) || settings.isDryRun else { return }
    try await window.changeProbe(context)
    guard let next = try await window.next() else {
      return try await sleep(until: try await window.queue.nextDueAt())
    }
    if settings.isDryRun {
      window.queue.takeNext()
      return try await runner.rehearse(next)
    }
    let permit = try await context.partners.reserveConversion()
    do {
      guard let queued = try await pick(&window, &retrying) else { return await context.partners.cancel(permit) }
      window.queue.takeNext()
      window.inFlight.insert(queued.entry)
      begin(queued, permit)
    } catch {
      await context.partners.cancel(permit)
      throw error
    }
  }

  /// Chooses after the wait for the permit, as the queue, and the window, may have changed during it.
  private func pick(_ window: inout SendWindow, _ retrying: inout RetryingLoop) async throws -> LedgerOrder? {
    try await drain(&window, &retrying)
    guard window.mayBegin(at: context.clock.uptime) else { return nil }
    return try await window.next()
  }

  private func sleep(until due: Timestamp?) async throws {
    let (now, uptime) = (context.clock.now, context.clock.uptime)
    let deadline = due.map { due in
      // Looks seldom for orders that are due and can't be sent yet: matching wakes this loop for them, and to look for
      // them may be to look at all of a long queue.
      let least = now - due > .seconds(1) ? Self.overdueWait : .seconds(1)
      return uptime + min(max(due - now, least), Backoff.delivery.longest)
    }
    try await context.deliveryWake.wait(until: deadline, clock: context.clock)
  }
}
