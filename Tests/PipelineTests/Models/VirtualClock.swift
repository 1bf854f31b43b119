import Conversions
import Synchronization

/// A clock whose time passes when a test says so.
final class VirtualClock: HostClock {
  private struct Sleeper {
    let deadline: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var uptime = Duration.seconds(1000)
    var wallOffset = Duration.zero
    var boots = 1
    var number: UInt64 = 0
    var sleepers: [UInt64: Sleeper] = [:]
    var cancelled: Set<UInt64> = []
  }

  /// The wall clock's time at uptime 0.
  static let bootedAt = Timestamp(milliseconds: 1_765_000_000_000)

  private let state = Mutex(State())
  private let activity: Activity

  init(_ activity: Activity = Activity()) { self.activity = activity }

  var now: Timestamp { state.withLock { Self.bootedAt + $0.uptime + $0.wallOffset } }
  var uptime: Duration { state.withLock { $0.uptime } }
  var bootID: String { state.withLock { "boot \($0.boots)" } }
  var sleepers: Int { state.withLock { $0.sleepers.count } }

  func sleep(until deadline: Duration) async throws {
    activity.note()
    defer { activity.note() }
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let answer: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
          if state.uptime >= deadline { return .success(()) }
          state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
          return nil
        }
        if let answer { continuation.resume(with: answer) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: number)
        if sleeper == nil { state.cancelled.insert(number) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
    try Task.checkCancellation()
  }

  /// The time of a clock that no one sets: the API's, and that of a shop on another host.
  var trueTime: Timestamp { state.withLock { Self.bootedAt + $0.uptime } }

  /// Sets the wall clock forward, or back; sleepers are not told.
  func jump(by duration: Duration) { state.withLock { $0.wallOffset += duration } }

  /// Boots the host again; its uptime goes on, as the simulated world counts by it.
  func reboot() { state.withLock { $0.boots += 1 } }

  /// The time at which the next sleeper wakes.
  var nextDeadline: Duration? { state.withLock { $0.sleepers.values.map(\.deadline).min() } }

  /// Lets time pass up to an uptime, and wakes the sleepers that are due by then.
  func advance(to uptime: Duration) {
    let due = state.withLock { state in
      state.uptime = max(state.uptime, uptime)
      let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
      for number in due.keys { state.sleepers[number] = nil }
      return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
    }
    for (_, sleeper) in due { sleeper.continuation.resume() }
  }
}
