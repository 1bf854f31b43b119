import Conversions
import Synchronization
import TestHosts
import Testing

@testable import Pipeline

extension Loops {
  /// Rings are never lost, and nobody waits for ever.
  @Suite(.timeLimit(.minutes(1))) struct DoorbellTests {
    /// Work that ringers leave and sleepers take.
    private final class Tray: Sendable {
      private let state = Mutex((left: 0, taken: 0))
      func leave() { state.withLock { $0.left += 1 } }
      func takeAll() { state.withLock { $0 = (0, $0.taken + $0.left) } }
      var taken: Int { state.withLock { $0.taken } }
    }

    @Test func everyRingLeadsToALook() async throws {
      let (bell, tray, clock) = (Doorbell(), Tray(), VirtualClock())
      let (ringers, each) = (20, 200)
      let sleeper = Task {
        while true {
          tray.takeAll()
          if tray.taken == ringers * each { return }
          // No deadline: a ring that is lost after the last work was left is a hang.
          try await bell.wait(until: nil, clock: clock)
        }
      }
      await withTaskGroup(of: Void.self) { group in
        for ringer in 0..<ringers {
          group.addTask {
            for turn in 0..<each {
              tray.leave()
              bell.ring()
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
      let (bell, clock) = (Doorbell(), VirtualClock())
      bell.ring()
      try await bell.wait(until: nil, clock: clock)
      try await bell.wait(until: clock.uptime, clock: clock)
    }

    @Test func theDeadlineEndsAWait() async throws {
      let (bell, clock) = (Doorbell(), VirtualClock())
      let sleeper = Task { try await bell.wait(until: clock.uptime + .seconds(5), clock: clock) }
      #expect(await eventually { clock.sleepers == 1 })
      clock.advance(to: clock.uptime + .seconds(5))
      try await sleeper.value
    }

    @Test func aRingEndsTheSleepOnTheClockToo() async throws {
      let (bell, clock) = (Doorbell(), VirtualClock())
      let sleeper = Task { try await bell.wait(until: clock.uptime + .seconds(5), clock: clock) }
      #expect(await eventually { clock.sleepers == 1 })
      bell.ring()
      try await sleeper.value
      #expect(clock.sleepers == 0)
    }

    @Test(arguments: [true, false]) func cancellationEndsAWait(withDeadline: Bool) async throws {
      let (bell, clock) = (Doorbell(), VirtualClock())
      for turn in 0..<200 {
        let sleeper = Task {
          try await bell.wait(until: withDeadline ? clock.uptime + .seconds(5) : nil, clock: clock)
        }
        for _ in 0..<(turn % 20) { await Task.yield() }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
      }
      #expect(clock.sleepers == 0)
    }

    @Test func aSleeperThatWasCancelledTakesNoRingWithIt() async throws {
      let (bell, clock) = (Doorbell(), VirtualClock())
      for turn in 0..<300 {
        let cancelled = Task { try await bell.wait(until: nil, clock: clock) }
        for _ in 0..<(turn % 30) { await Task.yield() }
        cancelled.cancel()
        _ = await cancelled.result
        bell.ring()
        // Kept for whoever comes next: without a deadline, so that a lost ring would be a hang.
        try await bell.wait(until: nil, clock: clock)
      }
    }
  }
}
