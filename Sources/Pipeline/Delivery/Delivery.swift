public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that sends what is queued, through the pacer: one order at a time until the API takes them, then as many at
/// once as the pacer lets through.
///
/// The order of things is the whole of its safety: wait for the pacer, look at the order again, freeze the report and
/// mark the send in the ledger, send, store what came of it. A crash between any two of these is an unknown outcome at
/// worst, and an unknown outcome is sent again with the same bytes.
public struct Delivery: Service {
  /// How delivery is to go about.
  public struct Settings: Sendable {
    /// How long an order is tried before a person is asked.
    public var giveUpAfter: Duration
    /// Whether nothing is to be sent, only said.
    public var isDryRun: Bool
    /// How long a send under way may go on once the daemon is told to stop.
    public var stopGrace: Duration

    /// Settings as configured.
    public init(giveUpAfter: Duration, isDryRun: Bool = false, stopGrace: Duration = .seconds(10)) {
      self.giveUpAfter = giveUpAfter
      self.isDryRun = isDryRun
      self.stopGrace = stopGrace
    }
  }

  /// How long it takes until the queue is looked at again that holds only orders that are due and can't be sent yet.
  private static let overdueWait = Duration.seconds(15)

  private let surroundings: Surroundings
  private let settings: Settings
  private let flight: Flight
  private let keys: [MatchingKey]

  /// A delivery with the rules by which changed orders are decided anew.
  public init(_ surroundings: Surroundings, rules: AttributionRules, settings: Settings) {
    self.surroundings = surroundings
    self.settings = settings
    keys = rules.keys
    flight = Flight(surroundings, rules: rules, settings: settings)
  }

  /// Sends until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    await withDiscardingTaskGroup { flights in
      var lane = Lane(surroundings, keys: keys)
      while !Task.isCancelled {
        do {
          try await takeLandings(&lane)
          let landings = lane.landings
          try await step(&lane) { queued, permit in
            let flight = flight
            flights.addTask { landings.add(await flight.fly(queued, permit: permit), of: queued.entry) }
          }
          // As long as something is under way nobody knows.
          if lane.flying.isEmpty { lane.succeed(at: surroundings.clock.uptime, log: surroundings.log) }
        } catch is CancellationError where Task.isCancelled {
          return
        } catch {
          await rest(after: error, &lane)
        }
      }
    }
  }

  /// Takes in what came of the flights that have ended.
  ///
  /// - Throws: What one of them failed with; `LedgerFailure`.
  private func takeLandings(_ lane: inout Lane) async throws {
    var failure: (any Error)?
    for (entry, landing) in lane.landings.take() {
      let isLate = lane.land(entry)
      do {
        try await take(landing, of: entry, isLate: isLate, &lane)
      } catch {
        // The others have landed as well, whatever became of this one.
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func take(_ landing: Flight.Landing, of entry: EntryID, isLate: Bool, _ lane: inout Lane) async throws {
    switch landing {
    case .notSent:
      lane.succeed(at: surroundings.clock.uptime, log: surroundings.log)
      lane.noteNothing(of: entry)
    case .unseen(let failure):
      lane.succeed(at: surroundings.clock.uptime, log: surroundings.log)
      await lane.note(failure, isLate: isLate, wait: wait(afterFailures:), surroundings)
      try await putOff(failure, lane)
    case .sent(let ended):
      lane.succeed(at: surroundings.clock.uptime, log: surroundings.log)
      await lane.note(ended, isLate: isLate, wait: wait(afterFailures:), surroundings)
      try await lane.conflicts.note(ended, surroundings)
      if let refusal = lane.health.refusal { try await lane.gate.halt(refusal.reason, refusal.detail) }
    case .failed(let refusal as LaneRefusal):
      lane.narrow()
      try await lane.gate.halt(refusal.reason, refusal.detail)
    case .failed(let error): throw error
    }
  }

  /// How long the lane rests after so many failures in a row.
  private func wait(afterFailures failures: Int) async -> Duration {
    await surroundings.chance.wait(.delivery, afterFailures: failures)
  }

  /// Has an order wait that could not be looked at. Where the lane is out of order it is the lane that waits, and the
  /// order keeps its place, so that the queue is still in order when the API is back.
  private func putOff(_ failure: LookFailure, _ lane: Lane) async throws {
    let later = surroundings.clock.now + ReferralQuestion.wait
    let until = lane.health.failures > 0 ? failure.order.dueAt ?? later : later
    surroundings.vitals.ill(.delivery, "\(failure)", at: surroundings.clock.now)
    try await surroundings.ledger.transaction {
      try $0.postpone(failure.order.entry, until: until, reason: LookFailure.reason, detail: "\(failure)")
    }
  }

  /// Waits out what went wrong.
  private func rest(after error: any Error, _ lane: inout Lane) async {
    lane.narrow()
    // What came of a send may be the very thing that couldn't be stored.
    lane.hasRecovered = false
    let organ: Vitals.Organ = error is OrderSourceFailure ? .database : error is LedgerFailure ? .ledger : .delivery
    surroundings.vitals.ill(organ, "\(error)", at: surroundings.clock.now)
    lane.fail("\(error)", isShop: organ == .database, at: surroundings.clock.uptime, log: surroundings.log)
    let wait = await surroundings.chance.wait(.reconnect, afterFailures: lane.failures)
    try? await surroundings.clock.sleep(for: wait)
  }

  /// A send that is marked as under way, and isn't, may have been done: the daemon ended during it, or what came of it
  /// couldn't be stored. False while there are some that are under way indeed.
  private func recover(_ lane: inout Lane) async throws -> Bool {
    let jumps = surroundings.clock.jumps
    if lane.hasRecovered, lane.repairedAt == jumps { return true }
    guard lane.flying.isEmpty else {
      try await sleep(until: nil)
      return false
    }
    let dueTimes = DueTimeRepair(
      now: surroundings.clock.now, isAfterJump: jumps > 0, memory: surroundings.clock.memory)
    let isRepaired = lane.repairedAt == jumps || settings.isDryRun
    let count = try await surroundings.ledger.transaction { transaction in
      if !isRepaired { try dueTimes.repair(transaction) }
      return try transaction.recoverInterruptedSends(at: dueTimes.now)
    }
    (lane.hasRecovered, lane.repairedAt) = (true, jumps)
    if !isRepaired { surroundings.matchingBell.ring() }
    guard count > 0 else { return true }
    surroundings.log.event(
      .deferred, .notice, "\(count) sends were interrupted; the same bytes are sent again", ["reason": "interrupted"])
    return true
  }

  /// Goes one step on: recovers, probes, begins a flight, or sleeps until there is something to do.
  private func step(_ lane: inout Lane, begin: (LedgerOrder, SendPermit) -> Void) async throws {
    guard try await recover(&lane), try await lane.gate.isFree() else { return }
    guard lane.flying.count < lane.width else { return try await sleep(until: nil) }
    if let rest = lane.rest(at: surroundings.clock.uptime) {
      // Not cut short by a bell, as there may be much to send.
      try await surroundings.clock.sleep(until: rest)
      return lane.remind(surroundings)
    }
    // Nothing is sent by a rehearsal.
    guard try await lane.isOurAccount(wait: wait(afterFailures:), surroundings) || settings.isDryRun else { return }
    try await lane.changeProbe(surroundings)
    guard let next = try await lane.next() else {
      return try await sleep(until: try await lane.queue.nextDueAt())
    }
    if settings.isDryRun {
      lane.queue.takeNext()
      return try await flight.rehearse(next)
    }
    let permit = try await surroundings.partners.reserveConversion()
    do {
      guard let queued = try await pick(&lane) else { return await surroundings.partners.cancel(permit) }
      lane.queue.takeNext()
      lane.flying.insert(queued.entry)
      begin(queued, permit)
    } catch {
      await surroundings.partners.cancel(permit)
      throw error
    }
  }

  /// Chooses after the wait for the permit, as the queue, and the lane, may have changed during it.
  private func pick(_ lane: inout Lane) async throws -> LedgerOrder? {
    try await takeLandings(&lane)
    guard lane.mayBegin(at: surroundings.clock.uptime) else { return nil }
    return try await lane.next()
  }

  private func sleep(until due: Timestamp?) async throws {
    let (now, uptime) = (surroundings.clock.now, surroundings.clock.uptime)
    let deadline = due.map { due in
      // What is due and can't be sent yet waits for matching, which rings; and to look for it may be to look at all of
      // a long queue.
      let least = now - due > .seconds(1) ? Self.overdueWait : .seconds(1)
      return uptime + min(max(due - now, least), Backoff.delivery.longest)
    }
    try await surroundings.deliveryBell.wait(until: deadline, clock: surroundings.clock)
  }
}
