/// A limit on how often something may be done, as API reference, Rate limits, states it.
///
/// The reference names the numbers but not the window's shape, so the shape is to choose: a client has to
/// survive each of them.
public struct SandboxRateLimit: Sendable, Hashable {
  /// The server's way of counting within its window.
  public enum Shape: Sendable, Hashable {
    /// A counter that starts again at every whole window of the clock.
    case fixed
    /// A log of times: never more than the count within any stretch as long as the window.
    case sliding
    /// Two fixed counters, the previous one weighted by how much of its window still overlaps.
    case slidingCounter
    /// A bucket that fills evenly and holds at most `capacity` requests; 1 allows no burst at all.
    case tokenBucket(capacity: Int)
  }

  /// Requests allowed within one window, at least 1.
  public var count: Int
  /// The window's length.
  public var window: Duration
  /// The server's way of counting.
  public var shape: Shape

  /// Creates a limit; by default a fixed window of one minute.
  public init(_ count: Int, per window: Duration = .seconds(60), shape: Shape = .fixed) {
    self.count = count
    self.window = window
    self.shape = shape
  }

  /// The window in nanoseconds.
  var windowNanoseconds: Int64 { max(1, window.wholeNanoseconds) }
}

extension Duration {
  /// The duration in whole nanoseconds, cut off below and clamped to what 64 bits hold.
  var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    return scaled + attoseconds / 1_000_000_000
  }
}
