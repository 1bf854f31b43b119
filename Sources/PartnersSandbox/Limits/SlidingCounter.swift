/// Two fixed counters, the previous one weighted by the part of its window that still overlaps.
///
/// A request is admitted where `previous × (1 − elapsed / window) + current + 1 ≤ count`, reckoned in whole
/// nanoseconds so that the wait it tells is exact.
struct SlidingCounter: RateLimiter {
  let count: Int
  let window: Int64
  private var index = Int64.min
  private var previous: Int64 = 0
  private var current: Int64 = 0

  init(count: Int, window: Int64) {
    self.count = count
    self.window = window
  }

  func wait(at now: Int64) -> Int64 {
    let (index, previous, current) = counters(at: now)
    let elapsed = now - index * window
    if let due = earliest(weighted: previous, fixed: current) { return max(0, due - elapsed) }
    // The counter that is full becomes the weighted one when the next window begins.
    let due = earliest(weighted: current, fixed: 0) ?? window
    return window + due - elapsed
  }

  mutating func take(at now: Int64) {
    (index, previous, current) = counters(at: now)
    current += 1
  }

  private func counters(at now: Int64) -> (index: Int64, previous: Int64, current: Int64) {
    let index = now.flooredQuotient(by: window)
    if index == self.index { return (index, previous, current) }
    if self.index != .min, index == self.index + 1 { return (index, current, 0) }
    return (index, 0, 0)
  }

  /// Returns the time into a window at which one more request is admitted; `nil` if it isn't within that window.
  private func earliest(weighted: Int64, fixed: Int64) -> Int64? {
    let room = Int64(count) - 1 - fixed
    guard room >= 0 else { return nil }
    guard weighted > room else { return 0 }
    let (high, low) = room.multipliedFullWidth(by: window)
    return window - weighted.dividingFullWidth((high, low)).quotient
  }
}
