/// Counts what one key (an IP address, a partner) does, and says how long it has to wait.
///
/// Asking and taking are two steps, because reporting a conversion has to pass two limiters and must not use up
/// one where the other refuses. Time is handed in as monotonic nanoseconds. A refused request isn't counted: the
/// reference is silent, and common limiters don't.
protocol RateLimiter: Sendable {
  /// Nanoseconds until one more request would be admitted; 0 where it would be now.
  func wait(at now: Int64) -> Int64

  /// Counts one admitted request.
  mutating func take(at now: Int64)
}

extension SandboxRateLimit {
  /// A limiter of this limit's shape that has counted nothing yet.
  func makeLimiter() -> any RateLimiter {
    switch shape {
    case .fixed: FixedWindow(count: count, window: windowNanoseconds)
    case .sliding: SlidingLog(count: count, window: windowNanoseconds)
    case .slidingCounter: SlidingCounter(count: count, window: windowNanoseconds)
    case .tokenBucket(let capacity): TokenBucket(count: count, window: windowNanoseconds, capacity: capacity)
    }
  }
}
