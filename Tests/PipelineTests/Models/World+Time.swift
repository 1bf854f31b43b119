import Conversions
import LoopFixtures
import ServiceLifecycle
import Synchronization
import Testing

extension World {
  /// Waits until nothing goes on any more but waiting for time to pass.
  func quiet() async throws { try await activity.rest() }

  /// Lets time pass, for at most `limit`, until a condition holds; tells whether it came to hold.
  @discardableResult
  func pass(
    _ limit: Duration, until condition: () async throws -> Bool = { false }
  ) async throws -> Bool {
    let end = clock.uptime + limit
    while true {
      try await quiet()
      if try await condition() { return true }
      guard clock.uptime < end else { return false }
      clock.advance(to: min(clock.nextDeadline ?? end, end))
    }
  }

  /// Expects a condition to come to hold within a time.
  func reaches(
    within limit: Duration, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
  ) async throws {
    let isReached = try await pass(limit, until: condition)
    if isReached { return }
    let orders = try await orders().prefix(10).map { "\($0.orderID) \($0.outcome) \($0.reason ?? "-")" }
    Issue.record("not within \(limit): \(orders)", sourceLocation: sourceLocation)
  }

  /// Runs loops for as long as `body` does, and ends them however it ends.
  func running(_ services: [any Service], _ body: () async throws -> Void) async throws {
    let loops = start {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try await service.run() } }
        try await group.waitForAll()
      }
    }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    try await end(loops)
    #expect(lines.incomplete.isEmpty, "an event lacks a field that the catalog promises")
    try result.get()
  }

  /// Starts loops where they can be seen to rest.
  func start(_ loops: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
    Task(executorPreference: executor) { try await loops() }
  }

  /// Cancels loops and lets time pass until they have ended.
  func end(_ loops: Task<Void, any Error>) async throws {
    loops.cancel()
    let hasEnded = Mutex(false)
    async let watching: Void = {
      _ = await loops.result
      hasEnded.withLock { $0 = true }
    }()
    while !hasEnded.withLock({ $0 }) {
      try await quiet()
      if let next = clock.nextDeadline { clock.advance(to: next) }
    }
    await watching
  }
}
