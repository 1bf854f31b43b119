/// A bucket that fills evenly and holds at most `capacity` requests.
///
/// Kept as the theoretical arrival time of the generic cell rate algorithm, which is the same bucket without
/// fractions: one token is one interval of nanoseconds.
struct TokenBucket: RateLimiter {
  private let interval: Int64
  private let burst: Int64
  private var arrival = Int64.min

  init(count: Int, window: Int64, capacity: Int) {
    interval = (window + Int64(count) - 1) / Int64(count)
    burst = Int64(max(1, capacity) - 1) * interval
  }

  func wait(at now: Int64) -> Int64 {
    guard arrival != .min else { return 0 }
    return max(0, arrival - burst - now)
  }

  mutating func take(at now: Int64) {
    arrival = max(arrival, now) + interval
  }
}
