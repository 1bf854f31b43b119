/// One write that a pacer let through and that is in flight.
public struct PacedSend: Hashable, Sendable, Codable {
  /// The permit's number, unique among all processes of the host.
  public var number: UInt64
  /// The process that holds the permit.
  public var owner: Int32
  /// The time at which that process began, in the kernel's ticks since the boot, which tells it from another one with
  /// its number; nil where it could not be told.
  public var ownerBeganAt: UInt64?
  /// The namespace of process numbers in which its number means that process (pid_namespaces(7)); nil where it could
  /// not be told.
  public var ownerNamespace: UInt64?
  /// The uptime at which it was let through.
  public var sentAt: Duration

  /// Makes a send that is under way.
  public init(
    number: UInt64, owner: Int32, ownerBeganAt: UInt64? = nil, ownerNamespace: UInt64? = nil, sentAt: Duration
  ) {
    self.number = number
    self.owner = owner
    self.ownerBeganAt = ownerBeganAt
    self.ownerNamespace = ownerNamespace
    self.sentAt = sentAt
  }
}
