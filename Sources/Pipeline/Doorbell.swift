public import Conversions

/// Wakes a loop that has nothing to do: rung by whoever brings it work, so that idle loops sleep instead of polling.
///
/// A ring that comes while the loop works is kept, so none is lost between a look and a sleep.
public actor Doorbell {
  private var isRung = false
  private var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
  private var nextSleeper: UInt64 = 0

  /// A doorbell that nobody has rung.
  public init() {}

  /// Wakes the sleeper, or the next one to come.
  public func ring() {
    guard !sleepers.isEmpty else {
      isRung = true
      return
    }
    let waking = sleepers.values
    sleepers = [:]
    for sleeper in waking { sleeper.resume() }
  }

  /// Returns when rung, or when `clock` reaches `deadline` (nil: never).
  ///
  /// - Throws: `CancellationError`.
  public func wait(until deadline: Duration?, clock: any HostClock) async throws {
    try Task.checkCancellation()
    if isRung {
      isRung = false
      return
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.sleep() }
      if let deadline { group.addTask { try await clock.sleep(until: deadline) } }
      defer { group.cancelAll() }
      try await group.next()
    }
    try Task.checkCancellation()
  }

  private func sleep() async {
    let number = nextSleeper
    nextSleeper += 1
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled {
          continuation.resume()
        } else if isRung {
          isRung = false
          continuation.resume()
        } else {
          sleepers[number] = continuation
        }
      }
    } onCancel: {
      Task { await self.wake(number) }
    }
  }

  private func wake(_ number: UInt64) {
    sleepers.removeValue(forKey: number)?.resume()
  }
}
