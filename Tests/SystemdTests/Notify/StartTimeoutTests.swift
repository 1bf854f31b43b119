import Synchronization
import TestHosts
import Testing

@testable import Systemd

/// Requests for more time during a long start.
@Suite struct StartTimeoutTests {
  @Test func itIsAskedForAtOnceAndUntilTheWorkHasEnded() async throws {
    let asked = Mutex<[Duration]>([])
    let count = { @Sendable in asked.withLock { $0.count } }
    let timeout = StartTimeout(step: .seconds(30), interval: .milliseconds(20)) { time in
      asked.withLock { $0.append(time) }
    }
    let value = try await timeout.extended {
      #expect(await eventually(within: .seconds(20)) { count() >= 3 })
      return 7
    }
    #expect(value == 7)
    let before = count()
    try await Task.sleep(for: .milliseconds(200))
    #expect(count() == before && asked.withLock { $0.allSatisfy { $0 == .seconds(30) } })
  }

  @Test func aFailureOfTheWorkEndsIt() async throws {
    let asked = Mutex(0)
    let timeout = StartTimeout(step: .seconds(30), interval: .seconds(3600)) { _ in asked.withLock { $0 += 1 } }
    await #expect(throws: TestHostError.self) {
      try await timeout.extended {
        #expect(await eventually { asked.withLock { $0 == 1 } })
        throw TestHostError("broken")
      }
    }
  }
}
