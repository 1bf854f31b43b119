import Conversions
import Synchronization

/// Lets reads through one after the other at the pace of `ReadPacing`: of those that wait the most urgent first, and of
/// these the first that came.
final class ReadLimiter: Sendable {
  /// The longest sleep of a wait: the wait may be ended meanwhile.
  private static let sleepMax = Duration.seconds(5)

  fileprivate struct Waiter {
    let number: UInt64
    let priority: ReadPriority
    /// The continuation to resume once no other waiter is before this one.
    var wake: CheckedContinuation<Void, Never>?
  }

  fileprivate struct State {
    var pacing: ReadPacing
    /// The waiting reads, in the order of their turns.
    var waiters: [Waiter] = []
    var nextNumber: UInt64 = 0
  }

  private enum Verdict {
    case now
    case at(Duration)
    case behind
  }

  private let state: Mutex<State>
  private let clock: any HostClock

  /// Makes a limiter of this process alone.
  init(_ limit: RateLimit, clock: any HostClock) {
    state = Mutex(State(pacing: ReadPacing(limit)))
    self.clock = clock
  }

  /// Waits for a turn.
  ///
  /// - Throws: `CancellationError`; no turn is taken then.
  func take(_ priority: ReadPriority = .current) async throws {
    let number = enter(priority)
    defer { leave(number) }
    while true {
      try Task.checkCancellation()
      switch verdict(number) {
      case .now: return
      case .at(let turn): try await clock.sleep(until: min(turn, clock.uptime + Self.sleepMax))
      case .behind: await standBehind(number)
      }
    }
  }

  /// Lets no read leave until the API's wait is over.
  func refuse(retryAfter: Duration?) {
    state.withLock { $0.pacing.refuse(retryAfter: retryAfter, at: clock.uptime) }
  }

  /// The number of reads that wait for their turn.
  var waiting: Int { state.withLock { $0.waiters.count } }

  /// Ends the API's wait.
  func endWait() { state.withLock { $0.pacing.endWait() } }

  private func enter(_ priority: ReadPriority) -> UInt64 {
    state.withLock { state in
      state.nextNumber += 1
      let place = state.waiters.firstIndex { $0.priority < priority } ?? state.waiters.endIndex
      state.waiters.insert(Waiter(number: state.nextNumber, priority: priority), at: place)
      return state.nextNumber
    }
  }

  private func verdict(_ number: UInt64) -> Verdict {
    state.withLock { state in
      guard state.waiters.first?.number == number else { return .behind }
      let now = clock.uptime
      let turn = state.pacing.turn(at: now)
      guard turn <= now else { return .at(turn) }
      _ = state.pacing.take(at: now)
      return .now
    }
  }

  private func leave(_ number: UInt64) {
    let wake = state.withLock { state in
      state.waiters.removeAll { $0.number == number }
      return state.takeWake(at: state.waiters.startIndex)
    }
    wake?.resume()
  }

  /// Sleeps until it is the first of those that wait, or is cancelled.
  private func standBehind(_ number: UInt64) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustWait = state.withLock { state in
          // Checks under the lock that the handler below takes, too: it finds the waiter asleep, or the cancellation is
          // seen here.
          guard !Task.isCancelled, let place = state.place(of: number), place > 0 else { return false }
          state.waiters[place].wake = continuation
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      let wake = state.withLock { state in state.place(of: number).flatMap { state.takeWake(at: $0) } }
      wake?.resume()
    }
  }
}

extension ReadLimiter.State {
  fileprivate func place(of number: UInt64) -> Int? { waiters.firstIndex { $0.number == number } }

  /// Takes the continuation that sleeps at a place, to be resumed.
  fileprivate mutating func takeWake(at place: Int) -> CheckedContinuation<Void, Never>? {
    guard waiters.indices.contains(place) else { return nil }
    defer { waiters[place].wake = nil }
    return waiters[place].wake
  }
}
