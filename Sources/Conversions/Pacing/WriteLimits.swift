/// The limits on writes (API reference, Rate limits).
public struct WriteLimits: Hashable, Sendable {
  /// All writes of this host's IP address: create, update and convert.
  public var writes: RateLimit
  /// Conversions alone, of the whole partner.
  public var conversions: RateLimit

  /// Limits as configured.
  public init(writes: RateLimit = .perMinute(30), conversions: RateLimit = .perMinute(60)) {
    self.writes = writes
    self.conversions = conversions
  }
}
