/// The courtesy limit on reads: a short burst, then even spacing, never more than the limit in any minute.
///
/// The generic cell rate algorithm (ITU-T I.371, annex A). Each process keeps its own, as the API states no limit on
/// reads.
public struct ReadPacing: Hashable, Sendable {
  /// The time between two reads once the burst is used up; nil for no limit.
  private let interval: Duration?
  /// The time by which a read may leave earlier than evenly spaced.
  private let tolerance: Duration
  /// The uptime at which the next read would be due if all were evenly spaced.
  private var due = Duration.zero
  private var blockedUntil = Duration.zero

  /// Makes a limit with a burst of a twelfth of it, at most ten.
  public init(_ limit: RateLimit) {
    guard let perMinute = limit.perMinute.map({ max(1, $0) }) else {
      (interval, tolerance) = (nil, .zero)
      return
    }
    let burst = max(1, min(10, perMinute / 12))
    // A burst of b and the rest of a minute evenly spaced: b - 1 + 60 s / interval is the limit.
    let interval = Duration.microseconds(Int64((60_000_000 / Double(perMinute - burst + 1)).rounded(.up)))
    self.interval = interval
    tolerance = interval * (burst - 1)
  }

  /// Returns the uptime at which the next turn comes.
  public func turn(at now: Duration) -> Duration {
    interval == nil ? max(now, blockedUntil) : max(now, blockedUntil, due - tolerance)
  }

  /// Takes the next turn and tells the uptime at which it comes.
  public mutating func take(at now: Duration) -> Duration {
    let turn = turn(at: now)
    if let interval { due = max(due, turn) + interval }
    return turn
  }

  /// Lets no read leave until the API's wait is over.
  public mutating func refuse(retryAfter: Duration?, at now: Duration) {
    blockedUntil = max(blockedUntil, now + PacingRules.wait(asked: retryAfter))
  }

  /// Ends the API's wait.
  public mutating func endWait() { blockedUntil = .zero }
}
