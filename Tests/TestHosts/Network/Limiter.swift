/// The ways in which a server may count a limit of so many a minute. Times are seconds.
public enum LimiterShape: String, CaseIterable, Sendable {
  /// So many in each minute of the clock.
  case fixedWindow
  /// So many in any minute.
  case slidingLog
  /// A bucket that begins full and holds a minute's share.
  case fullBucket
  /// The last window's count, by the part of it that is within a minute, and this one's.
  case slidingCounter
  /// A bucket that holds one token.
  case singleTokenBucket
}

/// A server's limiter of one shape.
public struct Limiter: Sendable {
  private let shape: LimiterShape
  private let perMinute: Int
  /// The second of a minute at which fixed windows begin.
  private let phase: Double
  private var accepted: [Double] = []
  private var windowStart = -1.0
  private var count = 0
  private var previousCount = 0
  private var tokens: Double
  private var refilledAt = 0.0

  /// Makes a limiter that has counted nothing yet.
  ///
  /// - Parameters:
  ///   - shape: The way in which it counts.
  ///   - perMinute: The limit.
  ///   - phase: The second of a minute at which fixed windows begin.
  public init(_ shape: LimiterShape, perMinute: Int, phase: Double) {
    (self.shape, self.perMinute, self.phase) = (shape, perMinute, phase)
    tokens = shape == .fullBucket ? Double(perMinute) : 1
  }

  /// Counts one request, at a time that never goes back, and returns the seconds to wait where it is refused.
  public mutating func refusal(at time: Double) -> Double? {
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
