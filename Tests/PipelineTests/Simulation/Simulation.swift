import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import TestHosts

@testable import Pipeline

/// A partner's day in virtual time: the real loops and a real ledger between a model of the shop and one of the API,
/// with faults and crashes that a seed draws.
final class Simulation: Sendable {
  /// A rule that a proof switches off, to see that its absence is found.
  enum Rule: CaseIterable { case frozenBody, unknownOutcome, conflictCheck, reread }

  /// Something that must never be.
  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  let seed: UInt64
  let without: Rule?
  let executor: SimulationExecutor
  let clock: VirtualClock
  let agenda: Agenda
  let shop: ModelShop
  let api: SimulatedAPI
  let disk: SimulatedDisk
  let rules: AttributionRules
  let plan: SimulationPlan
  private let stale = StaleRows()
  private let activity = Activity()
  private let lines = CapturedLog.Lines()
  private struct Run {
    var life: SimulatedLife?
    var ledger: SQLiteLedger?
    var loops: Task<Void, Never>?
    var lives = 0
    /// The daemon's clock, of this life.
    var trusted: TrustedClock?
    /// The uptime of the host's clock's last jump.
    var jumpedAt: Duration?
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  }
  private let run = Mutex(Run())

  init(seed: UInt64, without rule: Rule? = nil) throws {
    (self.seed, without) = (seed, rule)
    executor = SimulationExecutor(seed: seed)
    clock = VirtualClock(activity)
    agenda = Agenda(clock)
    plan = SimulationPlan(seed: seed)
    shop = ModelShop(activity, clock)
    shop.state.withLock { $0.pageSize = 20 }
    api = SimulatedAPI(ModelAPI(activity, clock), agenda, plan.shape, seed: seed)
    let (replays, faultChance, apiTellsTime) = (plan.replays, plan.faultChance, plan.apiTellsTime)
    api.model.state.withLock { ($0.replays, $0.clockAhead) = (replays, apiTellsTime ? .zero : nil) }
    shop.state.withLock { $0.isOnHost = !apiTellsTime }
    api.state.withLock { $0.faultChance = faultChance }
    disk = try SimulatedDisk(seed: seed)
    rules = makeRules(hold: plan.hold, wait: day, choose: plan.choose)
  }

  /// The daemon's log lines of all of its lives, with their times.
  var story: [String] {
    lines.all.map { "\($0.uptime ?? .zero) \($0.level) \($0.event ?? "-"): \($0.message)" }
  }

  /// Runs it all, and judges what came of it.
  ///
  /// - Returns: A digest of every send and what the ledger ends with: the same for each run of the seed.
  func play() throws -> UInt64 {
    defer { end() }
    schedule()
    try start()
    try pass(until: plan.end)
    for _ in 0..<SimulationPlan.patience where try unfinished() > 0 { try pass(until: clock.uptime + .seconds(900)) }
    try judge()
    return run.withLock { $0.digest }
  }

  /// Lets go of all that is still to come, which holds this, so that any number of seeds fits into memory.
  private func end() {
    crash(isPowerLoss: false)
    agenda.clear()
    disk.forget()
  }

  private func schedule() {
    for happening in plan.happenings {
      agenda.add(at: VirtualClock().uptime + happening.at) { [self] in try happen(happening.what) }
    }
  }

  /// Lets time pass, from one thing that happens to the next.
  private func pass(until end: Duration) throws {
    while true {
      do { try executor.runAll() } catch is SimulationExecutor.HotLoop {
        throw Violation(description: "a loop spins at \(clock.uptime)")
      }
      if disk.isDead {
        try restart(isPowerLoss: true)
        // Nothing is waited for before the new life has begun.
        continue
      }
      if try agenda.doNext() { continue }
      let next = [agenda.nextAt, clock.nextDeadline].compactMap(\.self).min()
      guard let next, next <= end else { return clock.advance(to: end) }
      clock.advance(to: next)
    }
  }

  private func happen(_ what: SimulationPlan.Event) throws {
    switch what {
    case .shop(let change): change(shop, clock.trueTime)
    case .api(let change): change(api)
    case .disk(let change): change(disk)
    case .clock(let jump):
      clock.jump(by: jump)
      run.withLock { $0.jumpedAt = clock.uptime }
    case .acceptClock: acceptClock()
    case .crash(let isPowerLoss): try restart(isPowerLoss: isPowerLoss)
    }
  }

  // MARK: Lives

  private func start() throws {
    let life = SimulatedLife(number: UInt64(run.withLock { $0.lives } + 1))
    let ledger = try disk.open(agenda)
    let store = SimulatedLedger(base: ledger, life: life)
    let context = context(life, store)
    let (rules, executor) = (rules, executor)
    let intake = Intake(
      context, rules: rules,
      settings: Intake.Settings(start: .everything, pollInterval: .seconds(30), sweepInterval: .seconds(30)))
    let delivery = Delivery(context, rules: rules, settings: Delivery.Settings(giveUpAfter: day * 30))
    // Not as services: what waits for a graceful shutdown of them runs on threads of its own.
    let task = Task(executorPreference: executor) { [self] in
      // A daemon that can't begin ends, and is started again.
      do {
        try await context.clock.resume(from: store)
        try await CatchUp.begin(store)
      } catch { return agenda.add(after: .zero) { [self] in try giveUp(life) } }
      await withDiscardingTaskGroup { group in
        group.addTask { await intake.loop() }
        group.addTask { await ReferralMirror(context).loop() }
        group.addTask { await Matching(context, rules: rules).loop() }
        group.addTask { await delivery.loop() }
      }
    }
    run.withLock { ($0.life, $0.ledger, $0.loops, $0.lives) = (life, ledger, task, $0.lives + 1) }
    run.withLock { $0.trusted = context.clock }
    try switchOff()
  }

  /// Accepts the host's clock, as `resume --clock` does; asked again where the daemon is down, or can't store it.
  private func acceptClock() {
    do {
      guard let trusted = run.withLock({ $0.life == nil ? nil : $0.trusted }) else {
        throw Violation(description: "not running")
      }
      trusted.confirmByOperator()
      let memory = trusted.memory
      try look { try $0.setClockMemory(memory) }
    } catch { agenda.add(after: .seconds(5)) { [self] in acceptClock() } }
  }

  /// The time since the host's clock was set to a wrong time, if it shows one and the API tells a better.
  var wrongFor: Duration? {
    let apart = clock.now - clock.trueTime
    guard max(apart, .zero - apart) > TrustedTime.agreement + .seconds(1), plan.apiTellsTime else { return nil }
    return run.withLock { $0.jumpedAt }.map { clock.uptime - $0 }
  }

  private func context(_ life: SimulatedLife, _ store: SimulatedLedger) -> PipelineContext {
    var partners = SimulatedPartners(api: api, life: life) { [self] report in await check(report, store) }
    partners.verifiesConflicts = without != .conflictCheck
    var orders = SimulatedShop(model: shop, life: life, stale: stale)
    orders.showsChanges = without != .reread
    let lives = run.withLock { $0.lives }
    var context = PipelineContext(
      orders: orders, partners: partners, ledger: store, clock: clock,
      jitter: Jitter(SeededGenerator(scenario: seed &+ UInt64(lives))), health: ComponentHealth(),
      log: Logger(label: "simulation") { [lines, clock] _ in CapturedLog(lines: lines, clock: clock) })
    context.executor = executor
    return context
  }

  private func crash(isPowerLoss: Bool) {
    let (life, ledger, loops) = run.withLock { run in
      defer { (run.life, run.ledger, run.loops) = (nil, nil, nil) }
      return (run.life, run.ledger, run.loops)
    }
    life?.end()
    loops?.cancel()
    disk.crash(isPowerLoss: isPowerLoss)
    // Runs what the dead process has left to its end, without any effect.
    try? ledger?.close()
    repeat { try? executor.runAll() } while disk.answerAll()
  }

  private func restart(isPowerLoss: Bool) throws {
    crash(isPowerLoss: isPowerLoss)
    if isPowerLoss { api.losePower() }
    try startAgain()
  }

  private func giveUp(_ life: SimulatedLife) throws {
    guard !life.isOver else { return }
    crash(isPowerLoss: false)
    agenda.add(after: .seconds(5)) { [self] in try startAgain() }
  }

  /// Starts as systemd does it: again after a while where the disk is not as it should be.
  private func startAgain() throws {
    guard run.withLock({ $0.life == nil }) else { return }
    do { try start() } catch let failure as LedgerFailure where [.io, .diskFull, .permission].contains(failure.kind) {
      agenda.add(after: .seconds(5)) { [self] in try startAgain() }
    } catch {
      throw Violation(description: "can't start again: \(error)")
    }
  }

  // MARK: Looks

  func note(_ words: String) {
    run.withLock { run in for byte in words.utf8 { run.digest = (run.digest ^ UInt64(byte)) &* 0x100_0000_01b3 } }
  }

  /// A transaction at once, beside the loops.
  func look<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) throws -> Value {
    guard let ledger = run.withLock({ $0.ledger }) else { throw Violation(description: "no ledger to look into") }
    let kept = Mutex<Result<Value, any Error>?>(nil)
    _ = Task(executorPreference: executor) {
      do {
        let value = try await ledger.transaction(body)
        kept.withLock { $0 = .success(value) }
      } catch {
        kept.withLock { $0 = .failure(error) }
      }
    }
    while kept.withLock({ $0 == nil }) {
      try executor.runAll()
      if try agenda.doNext() { continue }
      guard let next = [agenda.nextAt, clock.nextDeadline].compactMap(\.self).min() else { break }
      clock.advance(to: next)
    }
    guard let result = kept.withLock({ $0 }) else { throw Violation(description: "the ledger doesn't answer") }
    return try result.get()
  }
}
