/// How closely a limit is approached.
public enum PacingGear: String, Hashable, Sendable, Codable {
  /// By sends: fast whatever the latency, and right for the usual limiters.
  case first
  /// By answers, one at a time: right for every limiter of that rate. Once in it, it stays: what made the API refuse the
  /// first gear, its way of counting or a neighbour at the same address, does not pass by itself.
  case safe
}
