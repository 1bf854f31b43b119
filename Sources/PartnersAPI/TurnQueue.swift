import Synchronization

/// Lets a bounded number of tasks through at a time, first come, first served. A cancelled task leaves the queue.
final class TurnQueue: Sendable {
  private struct Waiter {
    var number: UInt64
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var free: Int
    var waiters: [Waiter] = []
    var nextNumber: UInt64 = 0
  }

  private let state: Mutex<State>

  /// Makes a queue that lets `count` tasks through at a time.
  init(count: Int) { state = Mutex(State(free: max(1, count))) }

  /// Waits for a turn, which `release` must end.
  ///
  /// - Throws: `CancellationError`; then there is no turn to end.
  func acquire() async throws {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          // Checks under the lock that the handler below takes, too: it finds the waiter, or the cancellation is seen
          // here.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.free > 0 {
            state.free -= 1
            return .success(())
          }
          state.waiters.append(Waiter(number: number, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }

  /// The number of tasks that wait for their turn.
  var waiting: Int { state.withLock { $0.waiters.count } }

  /// Ends a turn and begins that of the next waiter.
  func release() {
    let next: Waiter? = state.withLock { state in
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.free += 1
      return nil
    }
    next?.continuation.resume()
  }
}
