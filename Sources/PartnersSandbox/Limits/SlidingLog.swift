/// The times of the latest requests: never more than the count within any stretch as long as the window.
struct SlidingLog: RateLimiter {
  let count: Int
  let window: Int64
  private var times: [Int64] = []

  init(count: Int, window: Int64) {
    self.count = count
    self.window = window
  }

  func wait(at now: Int64) -> Int64 {
    guard times.count >= count else { return 0 }
    return max(0, times[times.count - count] + window - now)
  }

  mutating func take(at now: Int64) {
    if times.count >= count { times.removeFirst(times.count - count + 1) }
    times.append(now)
  }
}
