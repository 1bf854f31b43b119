/// One write that a pacer let through, as long as it matters to the next.
public struct PacedSend: Hashable, Sendable, Codable {
  /// The permit's number, unique among all processes of the host.
  public var number: UInt64
  /// The process that holds the permit.
  public var owner: Int32
  /// When that process began, in the kernel's ticks since the boot, which tells it from another one with its number; nil
  /// where nobody could tell.
  public var ownerBeganAt: UInt64?
  /// In which process numbers' namespace its number means that process (pid_namespaces(7)); nil where nobody could tell.
  public var ownerNamespace: UInt64?
  /// When it was let through, as an uptime.
  public var sentAt: Duration
  /// When it was answered, or given up as never to be answered; nil while it is in flight.
  public var answeredAt: Duration?

  /// A send that is in flight.
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
