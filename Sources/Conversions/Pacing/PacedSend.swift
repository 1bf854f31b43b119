/// One write that a pacer let through, as long as it matters to the next.
public struct PacedSend: Hashable, Sendable, Codable {
  /// The permit's number, unique among all processes of the host.
  public var number: UInt64
  /// The process that holds the permit.
  public var owner: Int32
  /// When it was let through, as an uptime.
  public var sentAt: Duration
  /// When it was answered, or given up as never to be answered; nil while it is in flight.
  public var answeredAt: Duration?

  /// A send that is in flight.
  public init(number: UInt64, owner: Int32, sentAt: Duration) {
    self.number = number
    self.owner = owner
    self.sentAt = sentAt
  }
}

/// What a write's answer tells a pacer.
public enum PacedAnswer: Hashable, Sendable {
  /// Anything but a 429; also no answer at all, which may have been counted.
  case notRefused
  /// 429, and how long the API asks to wait, nil where it doesn't say.
  case refused(retryAfter: Duration?)
}

/// When the next write may leave.
public enum PacingVerdict: Hashable, Sendable {
  /// At once.
  case now
  /// At this uptime, if nothing changes until then.
  case at(Duration)
  /// Not before one that is in flight is answered.
  case afterAnswer

  /// The later of two, for a write that two limits count.
  public static func later(_ left: Self, _ right: Self) -> Self {
    switch (left, right) {
    case (.afterAnswer, _), (_, .afterAnswer): .afterAnswer
    case (.at(let one), .at(let other)): .at(max(one, other))
    case (.at, .now): left
    case (.now, _): right
    }
  }
}

/// How closely a limit is approached.
public enum PacingGear: String, Hashable, Sendable, Codable {
  /// By sends: fast whatever the latency, and right for the usual limiters.
  case first
  /// By answers, one at a time: right for every limiter of that rate. Once in it, it stays: what made the API refuse the
  /// first gear, its way of counting or a neighbour at the same address, does not pass by itself.
  case safe
}
