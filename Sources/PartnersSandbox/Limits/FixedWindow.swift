/// A counter that starts again at every whole window of the clock.
struct FixedWindow: RateLimiter {
  let count: Int
  let window: Int64
  private var current = Int64.min
  private var used = 0

  init(count: Int, window: Int64) {
    self.count = count
    self.window = window
  }

  func wait(at now: Int64) -> Int64 {
    guard now.flooredQuotient(by: window) == current, used >= count else { return 0 }
    return (current + 1) * window - now
  }

  mutating func take(at now: Int64) {
    let index = now.flooredQuotient(by: window)
    if index != current {
      current = index
      used = 0
    }
    used += 1
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity, so that windows before zero are as long as those after.
  func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
