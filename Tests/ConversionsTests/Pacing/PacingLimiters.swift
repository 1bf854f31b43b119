/// The ways in which a server may count a limit of so many a minute. Times are seconds.
enum LimiterShape: String, CaseIterable, Sendable {
  case fixedWindow, slidingLog, fullBucket, slidingCounter, singleTokenBucket
}

/// A server's limiter of one shape.
struct Limiter {
  let shape: LimiterShape
  let perMinute: Int
  /// The second of a minute at which fixed windows begin.
  let phase: Double
  private var accepted: [Double] = []
  private var windowStart = -1.0
  private var count = 0
  private var previousCount = 0
  private var tokens: Double
  private var refilledAt = 0.0

  init(_ shape: LimiterShape, perMinute: Int, phase: Double) {
    (self.shape, self.perMinute, self.phase) = (shape, perMinute, phase)
    tokens = shape == .fullBucket ? Double(perMinute) : 1
  }

  /// Counts one request at a time that never goes back; the seconds to wait where it is refused.
  mutating func refusal(at time: Double) -> Double? {
    switch shape {
    case .fixedWindow:
      roll(to: time)
      guard count < perMinute else { return windowStart + 60 - time }
      count += 1
    case .slidingLog:
      accepted.removeAll { $0 <= time - 60 }
      guard accepted.count < perMinute else { return accepted[0] + 60 - time }
      accepted.append(time)
    case .slidingCounter:
      roll(to: time)
      let weight = 1 - (time - windowStart) / 60
      guard (Double(previousCount) * weight).rounded(.down) + Double(count) < Double(perMinute) else { return 2 }
      count += 1
    case .fullBucket, .singleTokenBucket:
      let capacity = shape == .fullBucket ? Double(perMinute) : 1
      tokens = min(capacity, tokens + (time - refilledAt) * Double(perMinute) / 60)
      refilledAt = time
      guard tokens >= 1 - 1e-9 else { return (1 - tokens) * 60 / Double(perMinute) }
      tokens -= 1
    }
    return nil
  }

  private mutating func roll(to time: Double) {
    let start = ((time - phase) / 60).rounded(.down) * 60 + phase
    guard start != windowStart else { return }
    previousCount = start == windowStart + 60 ? count : 0
    (windowStart, count) = (start, 0)
  }
}
