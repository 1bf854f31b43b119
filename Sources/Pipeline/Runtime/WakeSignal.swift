public import Conversions
import Synchronization

/// Wakes a loop that has nothing to do: notified with each piece of work, so that idle loops sleep instead of polling.
///
/// A notice that comes while the loop works is kept, so none is lost between a look and a sleep.
public final class WakeSignal: Sendable {
  fileprivate struct State {
    var isNotified = false
    var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
    /// Sleepers that were cancelled before they slept.
    var cancelled: Set<UInt64> = []
    var number: UInt64 = 0
  }

  private let state = Mutex(State())

  /// A signal without a notice.
  public init() {}

  /// Wakes the sleeper, or the next one to come.
  public func notify() {
    let waking = state.withLock { state in
      let waking = Array(state.sleepers.values)
      if waking.isEmpty { state.isNotified = true }
      state.sleepers = [:]
      return waking
    }
    for sleeper in waking { sleeper.resume() }
  }

  /// Returns when notified, or when `clock` reaches `deadline` (nil: never).
  ///
  /// - Throws: `CancellationError`.
  public func wait(until deadline: Duration?, clock: any HostClock) async throws {
    try Task.checkCancellation()
    if state.withLock({ $0.takeNotice() }) { return }
    if let deadline {
      try await withThrowingTaskGroup(of: Void.self) { group in
        // Starts both immediately: each task that had to be scheduled first would wake a thread for it.
        group.addImmediateTask { await self.sleep() }
        group.addImmediateTask { try await clock.sleep(until: deadline) }
        defer { group.cancelAll() }
        try await group.next()
      }
    } else {
      await LoopProgress.rest { await sleep() }
    }
    try Task.checkCancellation()
  }

  private func sleep() async {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAwake = state.withLock { state in
          if state.cancelled.remove(number) != nil || state.takeNotice() { return true }
          state.sleepers[number] = continuation
          return false
        }
        if isAwake { continuation.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: number)
        if sleeper == nil { state.cancelled.insert(number) }
        return sleeper
      }
      sleeper?.resume()
    }
    state.withLock { _ = $0.cancelled.remove(number) }
  }
}

extension WakeSignal.State {
  fileprivate mutating func takeNotice() -> Bool {
    defer { isNotified = false }
    return isNotified
  }
}
