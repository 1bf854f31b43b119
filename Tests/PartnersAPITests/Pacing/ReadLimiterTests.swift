import Conversions
import Synchronization
import Testing

@testable import PartnersAPI

@Suite("Reads leave in the order of who waits for them", .timeLimit(.minutes(5)))
struct ReadLimiterTests {
  @Test("a waiting read yields to a more urgent one that comes later; none leaves before its time")
  func yields() async throws {
    let clock = StandingClock()
    let limiter = ReadLimiter(.perMinute(60), clock: clock)
    for _ in 0..<5 { try await limiter.take() }  // the burst
    var left: [ReadPriority] = []
    try await withThrowingTaskGroup(of: ReadPriority.self) { group in
      let waiting: [ReadPriority] = [.background, .background, .young, .question]
      for (number, priority) in waiting.enumerated() {
        group.addTask {
          try await limiter.take(priority)
          return priority
        }
        try await stands(limiter, number + 1)
      }
      for number in 1...waiting.count {
        clock.advance(.milliseconds(1000))
        try await Task.sleep(for: .milliseconds(20))
        #expect(limiter.waiting == waiting.count - number + 1)
        clock.advance(.microseconds(71_429))
        if let priority = try await group.next() { left.append(priority) }
        try await stands(limiter, waiting.count - number)
      }
    }
    #expect(left == [.question, .young, .background, .background])
  }

  @Test(
    "one that is cancelled leaves its place, and the others go on", arguments: [ReadPriority.background, .question])
  func cancelled(priority: ReadPriority) async throws {
    let clock = StandingClock()
    let limiter = ReadLimiter(.perMinute(60), clock: clock)
    for _ in 0..<5 { try await limiter.take() }
    let cancelled = Task { try await limiter.take(priority) }
    try await stands(limiter, 1)
    let other = Task { try await limiter.take(.young) }
    try await stands(limiter, 2)
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    #expect(limiter.waiting == 1)
    clock.advance(.seconds(2))
    try await other.value
  }

  private func stands(_ limiter: ReadLimiter, _ count: Int) async throws {
    while limiter.waiting != count { try await Task.sleep(for: .milliseconds(1)) }
  }

  @Test("the API's wait holds for all, until it is ended")
  func wait() async throws {
    let clock = PacerClock()
    let limiter = ReadLimiter(.perMinute(120), clock: clock)
    limiter.refuse(retryAfter: .seconds(3600))
    limiter.endWait()
    let before = clock.uptime
    try await limiter.take(.question)
    #expect(clock.uptime == before)
    limiter.refuse(retryAfter: .seconds(60))
    try await limiter.take(.question)
    #expect(clock.uptime >= before + .seconds(60))
  }
}

/// A clock that stands still until it is told otherwise.
private final class StandingClock: HostClock {
  private let time = Mutex(Duration.seconds(1000))

  var now: Timestamp { Timestamp(microseconds: 0) }

  var uptime: Duration { time.withLock { $0 } }

  func sleep(until deadline: Duration) async throws {
    while uptime < deadline { try await Task.sleep(for: .milliseconds(1)) }
  }

  func advance(_ duration: Duration) { time.withLock { $0 += duration } }
}
