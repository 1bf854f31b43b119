import Synchronization

/// Counts what goes on in the loops and in the models, so that a test's time goes on only while nothing does.
final class Activity: Sendable {
  private struct State {
    /// Jobs of the loops that run or are about to.
    var jobs = 0
    /// Calls that the models have under way: the end of each is a job of the loops again.
    var underWay = 0
    /// The number of things that went on so far.
    var count = 0
    var waiting: [CheckedContinuation<Void, any Error>] = []
    /// The count when a task last began to wait.
    var waitedFrom = 0
    var isAtRest: Bool { jobs == 0 && underWay == 0 }
  }

  /// Something spins: it works and works while no time passes.
  struct HotLoop: Error {}
  private static let hot = 50_000

  private let state = Mutex(State())

  /// The number of things that went on so far.
  var count: Int { state.withLock { $0.count } }

  /// Counts something that takes no time.
  func note() { change { $0.count += 1 } }
  func begin() { change { ($0.underWay, $0.count) = ($0.underWay + 1, $0.count + 1) } }
  func end() { change { $0.underWay -= 1 } }
  func beginJob() { change { $0.jobs += 1 } }
  func endJob() { change { $0.jobs -= 1 } }

  /// Returns once nothing goes on.
  func rest() async throws {
    try await withCheckedThrowingContinuation { continuation in
      let isAtRest = state.withLock { state in
        if !state.isAtRest { (state.waitedFrom, state.waiting) = (state.count, state.waiting + [continuation]) }
        return state.isAtRest
      }
      if isAtRest { continuation.resume() }
    }
  }

  private func change(_ change: (inout State) -> Void) {
    let (waiting, isHot) = state.withLock { state in
      change(&state)
      let isHot = state.count - state.waitedFrom > Self.hot
      guard state.isAtRest || isHot else { return ([CheckedContinuation<Void, any Error>](), false) }
      defer { state.waiting = [] }
      return (state.waiting, !state.isAtRest)
    }
    for waiter in waiting { waiter.resume(with: isHot ? .failure(HotLoop()) : .success(())) }
  }
}
