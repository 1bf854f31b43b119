import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization

@testable import Pipeline

extension RandomWorld {
  /// Begins a life of the daemon as `run` does, on the ledger that the last one left.
  func start() throws {
    let life = SimulatedLife(number: Int32(state.withLock { $0.lives } + 1))
    let ledger = try disk.open(agenda)
    let store = SimulatedLedger(base: ledger, life: life)
    let surroundings = surroundings(life, store)
    let (rules, executor) = (state.withLock { $0.rules.rules }, executor)
    let intake = Intake(
      surroundings, rules: rules,
      settings: Intake.Settings(start: .everything, pollInterval: .seconds(5), sweepInterval: .seconds(5)))
    let delivery = Delivery(surroundings, rules: rules, settings: Delivery.Settings(giveUpAfter: day * 30))
    let task = Task(executorPreference: executor) { [self] in
      do {
        try await surroundings.clock.resume(from: store)
        if without == .discardForgotten { try await Self.forgetActs(store) }
        try await RulesChanging.begin(store, rules: rules, mapping: "", now: surroundings.clock.now)
        try await CatchUp.begin(store)
      } catch { return life.isOver ? () : fail("the daemon can't begin: \(error)") }
      await withDiscardingTaskGroup { group in
        group.addTask { await intake.loop() }
        group.addTask { await ReferralMirror(surroundings).loop() }
        group.addTask { await Matching(surroundings, rules: rules).loop() }
        group.addTask { await delivery.loop() }
      }
    }
    state.withLock { $0.wake = { surroundings.matchingBell.ring() } }
    state.withLock { ($0.life, $0.ledger, $0.loops, $0.lives) = (life, ledger, task, $0.lives + 1) }
  }

  private func surroundings(_ life: SimulatedLife, _ store: SimulatedLedger) -> Surroundings {
    let partners = SimulatedPartners(api: api, life: life) { [self] report in
      if !life.isOver { check(report) }
    }
    let orders = SimulatedShop(model: shop, life: life, stale: StaleRows())
    let lives = state.withLock { $0.lives }
    var surroundings = Surroundings(
      orders: mutated(orders), partners: mutated(partners), ledger: store, clock: clock,
      chance: Chance(SeededGenerator(seed: plan.seed &+ UInt64(lives))), vitals: Vitals(),
      log: Logger(label: "world") { [lines, clock] _ in CapturedLog(lines: lines, clock: clock) })
    surroundings.executor = executor
    return surroundings
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
      // What wakes the life holds it, and this.
      defer { (state.life, state.ledger, state.loops, state.wake) = (nil, nil, nil, nil) }
      return (state.life, state.ledger, state.loops)
    }
    life?.end()
    loops?.cancel()
    disk.crash(isPowerLoss: false)
    // What the dead process has left runs to its end without any effect.
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
