import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import TestHosts

@testable import Pipeline

extension RandomWorld {
  /// Begins a life of the daemon as `run` does, on the ledger that the last one left.
  func start() throws {
    let life = SimulatedLife(number: UInt64(state.withLock { $0.lives } + 1))
    let ledger = try disk.open(agenda)
    let store = SimulatedLedger(base: ledger, life: life)
    let context = context(life, store)
    let (rules, executor) = (state.withLock { $0.rules.rules }, executor)
    let intake = Intake(
      context, rules: rules,
      settings: Intake.Settings(start: .everything, pollInterval: .seconds(5), sweepInterval: .seconds(5)))
    let delivery = Delivery(context, rules: rules, settings: Delivery.Settings(giveUpAfter: day * 30))
    let task = Task(executorPreference: executor) { [self] in
      do {
        try await context.clock.resume(from: store)
        if without == .discardForgotten { try await Self.forgetActs(store) }
        try await RulesUpdate.begin(store, rules: rules, mapping: "", now: context.clock.now)
        try await CatchUp.begin(store)
      } catch { return life.isOver ? () : fail("the daemon can't begin: \(error)") }
      await withDiscardingTaskGroup { group in
        group.addTask { await intake.loop() }
        group.addTask { await ReferralMirror(context).loop() }
        group.addTask { await Matching(context, rules: rules).loop() }
        group.addTask { await delivery.loop() }
      }
    }
    state.withLock { $0.wake = { context.matchingWake.notify() } }
    state.withLock { ($0.life, $0.ledger, $0.loops, $0.lives) = (life, ledger, task, $0.lives + 1) }
  }

  private func context(_ life: SimulatedLife, _ store: SimulatedLedger) -> PipelineContext {
    let partners = SimulatedPartners(api: api, life: life) { [self] report in
      if !life.isOver { check(report) }
    }
    let orders = SimulatedShop(model: shop, life: life, stale: StaleRows())
    let lives = state.withLock { $0.lives }
    var context = PipelineContext(
      orders: mutated(orders), partners: mutated(partners), ledger: store, clock: clock,
      jitter: Jitter(SeededGenerator(scenario: plan.seed &+ UInt64(lives))), health: ComponentHealth(),
      log: Logger(label: "world") { [lines, clock] _ in CapturedLog(lines: lines, clock: clock) })
    context.executor = executor
    return context
  }

  private func fail(_ words: String) { state.withLock { $0.violation = $0.violation ?? words } }

  /// Ends the daemon, and starts it with other rules after a while.
  func restart(_ rules: WorldRules, down: Duration) throws {
    guard state.withLock({ $0.life }) != nil else { return }
    crash()
    agenda.add(after: down) { [self] in
      state.withLock { $0.rules = rules }
      try start()
    }
  }

  private func crash() {
    let (life, ledger, loops) = state.withLock { state in
      // Lets go of `wake`, too: it holds the life, and this.
      defer { (state.life, state.ledger, state.loops, state.wake) = (nil, nil, nil, nil) }
      return (state.life, state.ledger, state.loops)
    }
    life?.end()
    loops?.cancel()
    disk.crash(isPowerLoss: false)
    // Runs what the dead process has left to its end, without any effect.
    try? ledger?.close()
    repeat { try? executor.runAll() } while disk.answerAll()
  }

  /// Lets go of all that is still to come, which holds this, so that any number of seeds fits into memory.
  func end() {
    crash()
    agenda.clear()
    disk.forget()
  }
}
