/// The last complete walk of a tier.
public struct MirrorWalk: Hashable, Sendable, Codable {
  /// The time at which its first request was sent, by the host's clock.
  public var beganAt: Timestamp
  /// The number of reads that it took.
  public var reads: Int
  /// The time that its reads took, without what lay between them.
  public var busy: Duration

  /// Makes a walk from its values.
  public init(beganAt: Timestamp, reads: Int, busy: Duration) {
    self.beganAt = beganAt
    self.reads = reads
    self.busy = busy
  }
}
