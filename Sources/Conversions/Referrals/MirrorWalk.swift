/// The last complete walk of a tier.
public struct MirrorWalk: Hashable, Sendable, Codable {
  /// When its first request was sent, by the host's clock.
  public var beganAt: Timestamp
  /// How many reads it took.
  public var reads: Int
  /// How long its reads took, without what lay between them.
  public var busy: Duration

  /// A walk from its values.
  public init(beganAt: Timestamp, reads: Int, busy: Duration) {
    self.beganAt = beganAt
    self.reads = reads
    self.busy = busy
  }
}
