import Synchronization

/// Hands the first of several answers to the task that waits, and drops the others.
final class FirstAnswer<Value: Sendable>: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<Value, any Error>)
    case answered(Result<Value, any Error>)
    case done
  }

  private let state = Mutex(State.open)

  /// Waits for the first answer; at most once.
  func wait() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let early: Result<Value, any Error>? = state.withLock { state in
        if case .answered(let result) = state {
          state = .done
          return result
        }
        state = .awaited(continuation)
        return nil
      }
      if let early { continuation.resume(with: early) }
    }
  }

  /// Gives an answer, which counts if it is the first.
  func give(_ result: Result<Value, any Error>) {
    let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
      switch state {
      case .open:
        state = .answered(result)
        return nil
      case .awaited(let continuation):
        state = .done
        return continuation
      case .answered, .done: return nil
      }
    }
    waiting?.resume(with: result)
  }
}
