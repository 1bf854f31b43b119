import Configuration
import Ledger
import Orders
import Pipeline
import ServiceLifecycle
import Synchronization

/// Runs the pipeline, and, when the configuration is loaded again, the pipeline by the new one in its place.
final class PipelineRuns: Service {
  /// A run that is to follow, and the one who waits for it to begin.
  private struct Successor {
    let run: PipelineRun
    let begun: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var run: PipelineRun
    var successor: Successor?
    var isOver = false
  }

  private let state: Mutex<State>
  private let ledger: SQLiteLedger
  private let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  init(_ first: PipelineRun, ledger: SQLiteLedger) {
    state = Mutex(State(run: first))
    self.ledger = ledger
  }

  /// The run that is under way.
  var current: PipelineRun { state.withLock { $0.run } }
  /// The configuration in force.
  var configuration: Configuration { current.configuration }

  /// Takes note of a configuration by which the present run goes on as it is.
  func note(_ configuration: Configuration) { state.withLock { $0.run.configuration = configuration } }

  /// Ends the present run, and begins another in its place; where that can't begin, the present one goes on.
  ///
  /// - Throws: `LedgerFailure` where it can't begin; `CancellationError` where the daemon is ending.
  func replace(with run: PipelineRun) async throws {
    try await withCheckedThrowingContinuation { begun in
      let isOver = state.withLock { state in
        guard !state.isOver else { return true }
        state.successor = Successor(run: run, begun: begun)
        return false
      }
      guard !isOver else { return begun.resume(throwing: CancellationError()) }
      wake.continuation.yield()
    }
  }

  /// Runs until the daemon is told to end.
  ///
  /// - Throws: The error of a loop that fails, which ends the daemon.
  func run() async throws {
    defer { end() }
    while true {
      try await runOnce(current)
      guard !Task.isCancelled, !Task.isShuttingDownGracefully, let successor = takeSuccessor() else { return }
      await begin(successor)
    }
  }

  private func runOnce(_ run: PipelineRun) async throws {
    let wake = wake.stream
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in run.services { group.addTask { try await service.run() } }
      group.addTask {
        await cancelWhenGracefulShutdown { for await _ in wake { return } }
      }
      // The first to end is the wait for a successor, or a loop that is told to end, or fails.
      defer { group.cancelAll() }
      try await group.next()
      group.cancelAll()
      while !group.isEmpty {
        do { try await group.next() } catch is CancellationError {}
      }
    }
  }

  private func begin(_ successor: Successor) async {
    let former = current
    do {
      try await successor.run.begin(ledger, isFirst: false)
      state.withLock { $0.run = successor.run }
      // Forgets what failed under the other configuration: it must not be told as failing now.
      successor.run.context.health.forget()
      if former.orders !== successor.run.orders { await former.orders.close() }
      successor.begun.resume()
    } catch {
      // Takes the rules of before again; a ledger that refuses that, too, is told by the loops.
      try? await former.begin(ledger, isFirst: false)
      let again = former.following(
        former.configuration, orders: former.orders, partners: former.partners)
      state.withLock { $0.run = again }
      successor.begun.resume(throwing: error)
    }
  }

  private func takeSuccessor() -> Successor? {
    state.withLock { state in
      defer { state.successor = nil }
      return state.successor
    }
  }

  private func end() {
    let left = state.withLock { state in
      defer { (state.isOver, state.successor) = (true, nil) }
      return state.successor
    }
    left?.begun.resume(throwing: CancellationError())
  }
}
