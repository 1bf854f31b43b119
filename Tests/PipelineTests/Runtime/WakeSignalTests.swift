import Conversions
import Synchronization
import TestHosts
import Testing

@testable import Pipeline

extension Loops {
  /// Notifications are never lost, and no task waits for ever.
  @Suite(.timeLimit(.minutes(5))) struct WakeSignalTests {
    /// Work that notifying tasks leave and waiting tasks take.
    private final class Tray: Sendable {
      private let state = Mutex((left: 0, taken: 0))
      func leave() { state.withLock { $0.left += 1 } }
      func takeAll() { state.withLock { $0 = (0, $0.taken + $0.left) } }
      var taken: Int { state.withLock { $0.taken } }
    }

    @Test func everyRingLeadsToALook() async throws {
      let (signal, tray, clock) = (WakeSignal(), Tray(), VirtualClock())
      let (ringers, each) = (20, 200)
      let sleeper = Task {
        while true {
          tray.takeAll()
          if tray.taken == ringers * each { return }
          // No deadline: a notification that is lost after the last work was left is a hang.
          try await signal.wait(until: nil, clock: clock)
        }
      }
      await withTaskGroup(of: Void.self) { group in
        for ringer in 0..<ringers {
          group.addTask {
            for turn in 0..<each {
              tray.leave()
              signal.notify()
              if (turn + ringer).isMultiple(of: 7) { await Task.yield() }
            }
          }
        }
      }
      #expect(await eventually { tray.taken == ringers * each })
      sleeper.cancel()
      _ = await sleeper.result
      #expect(tray.taken == ringers * each)
    }

    @Test func aRingBeforeTheWaitIsKept() async throws {
      let (signal, clock) = (WakeSignal(), VirtualClock())
      signal.notify()
      try await signal.wait(until: nil, clock: clock)
      try await signal.wait(until: clock.uptime, clock: clock)
    }

    @Test func theDeadlineEndsAWait() async throws {
      let (signal, clock) = (WakeSignal(), VirtualClock())
      let sleeper = Task { try await signal.wait(until: clock.uptime + .seconds(5), clock: clock) }
      #expect(await eventually { clock.sleepers == 1 })
      clock.advance(to: clock.uptime + .seconds(5))
      try await sleeper.value
    }

    @Test func aRingEndsTheSleepOnTheClockToo() async throws {
      let (signal, clock) = (WakeSignal(), VirtualClock())
      let sleeper = Task { try await signal.wait(until: clock.uptime + .seconds(5), clock: clock) }
      #expect(await eventually { clock.sleepers == 1 })
      signal.notify()
      try await sleeper.value
      #expect(clock.sleepers == 0)
    }

    @Test(arguments: [true, false]) func cancellationEndsAWait(withDeadline: Bool) async throws {
      let (signal, clock) = (WakeSignal(), VirtualClock())
      for turn in 0..<200 {
        let sleeper = Task {
          try await signal.wait(until: withDeadline ? clock.uptime + .seconds(5) : nil, clock: clock)
        }
        for _ in 0..<(turn % 20) { await Task.yield() }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
      }
      #expect(clock.sleepers == 0)
    }

    @Test func aSleeperThatWasCancelledTakesNoRingWithIt() async throws {
      let (signal, clock) = (WakeSignal(), VirtualClock())
      for turn in 0..<300 {
        let cancelled = Task { try await signal.wait(until: nil, clock: clock) }
        for _ in 0..<(turn % 30) { await Task.yield() }
        cancelled.cancel()
        _ = await cancelled.result
        signal.notify()
        // The notification is kept for the next wait, which has no deadline: a lost one would be a hang.
        try await signal.wait(until: nil, clock: clock)
      }
    }
  }
}
