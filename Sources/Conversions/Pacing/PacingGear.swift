/// The way in which a limit is approached.
public enum PacingGear: String, Hashable, Sendable, Codable {
  /// Spacing by sends: fast whatever the latency, and right for the usual limiters.
  case first
  /// Spacing by answers, one at a time: right for every limiter of that rate. Once in it, the pacer stays in it: what
  /// made the API refuse the first gear, its way of counting or another program at the same address, does not pass by
  /// itself.
  case safe
}
