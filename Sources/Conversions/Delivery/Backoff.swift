/// Exponential back-off with full jitter, capped.
public struct Backoff: Hashable, Sendable {
  /// The ceiling of the first wait.
  public var first: Duration
  /// The ceiling of every wait.
  public var longest: Duration

  /// Makes a back-off that doubles from `first` up to `longest`.
  public init(first: Duration, longest: Duration) {
    self.first = first
    self.longest = longest
  }

  /// Sends with an unknown outcome: 5 s doubling to 15 min.
  public static let delivery = Self(first: .seconds(5), longest: .seconds(900))
  /// Connections to the shop's database, and anything else that comes back by itself.
  public static let reconnect = Self(first: .seconds(1), longest: .seconds(60))

  /// Returns the wait before the try after `failures` failures in a row: uniformly between a tenth of the ceiling and
  /// all of it, so that hosts that failed together don't come back together, nor at once.
  public func wait(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let doublings = min(max(failures - 1, 0), 30)
    let ceiling = min(first * (1 << doublings), longest).wholeMicroseconds
    return .microseconds(Int64.random(in: (ceiling / 10)...max(ceiling / 10, ceiling), using: &generator))
  }
}
