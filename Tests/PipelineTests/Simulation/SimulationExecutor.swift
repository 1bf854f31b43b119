import Synchronization
import TestHosts

/// Runs every job of the loops on the thread of its caller, one after the other; which of those that are ready comes
/// first is drawn from a seed. So a run can be repeated to the last step, and others interleave otherwise.
final class SimulationExecutor: TaskExecutor {
  fileprivate struct State {
    var ready: [UnownedJob] = []
    var generator: SeededGenerator
  }

  /// Something works and works while no time passes.
  struct HotLoop: Error {}
  private static let hot = 100_000

  private let state: Mutex<State>

  init(seed: UInt64) { state = Mutex(State(generator: SeededGenerator(scenario: seed))) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.ready.append(job) }
  }

  /// Runs jobs until none is ready.
  func runAll() throws {
    var count = 0
    while let job = state.withLock({ $0.next() }) {
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
      count += 1
      if count > Self.hot { throw HotLoop() }
    }
  }
}

extension SimulationExecutor.State {
  fileprivate mutating func next() -> UnownedJob? {
    guard !ready.isEmpty else { return nil }
    // Mostly in order, as executors do it.
    let index = generator.chance(0.8) ? 0 : generator.int(0...ready.count - 1)
    return ready.remove(at: index)
  }
}
