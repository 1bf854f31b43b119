import Conversions
import Synchronization

/// Lets reads through one after the other at the pace of `ReadPacing`.
final class ReadLimiter: Sendable {
  private let pacing: Mutex<ReadPacing>
  private let clock: any HostClock

  /// A limiter of this process alone.
  init(_ limit: RateLimit, clock: any HostClock) {
    pacing = Mutex(ReadPacing(limit))
    self.clock = clock
  }

  /// Waits for a turn.
  ///
  /// - Throws: `CancellationError`; the turn is lost then.
  func take() async throws {
    let turn = pacing.withLock { $0.take(at: clock.uptime) }
    try await clock.sleep(until: turn)
  }

  /// Lets no read leave until the API's wait is over.
  func refuse(retryAfter: Duration?) {
    pacing.withLock { $0.refuse(retryAfter: retryAfter, at: clock.uptime) }
  }
}
