/// One write that a pacer let through and that is in flight.
public struct PacedSend: Hashable, Sendable, Codable {
  /// The permit's number, unique among all processes of the host.
  public var number: UInt64
  /// The holder of the permit. Only one process at a time has a holder's number, so a send of that holder's which is
  /// none of the process's own was left by one that ended.
  public var owner: UInt64
  /// The uptime at which it was let through.
  public var sentAt: Duration

  /// Makes a send that is under way.
  public init(number: UInt64, owner: UInt64, sentAt: Duration) {
    (self.number, self.owner, self.sentAt) = (number, owner, sentAt)
  }
}
