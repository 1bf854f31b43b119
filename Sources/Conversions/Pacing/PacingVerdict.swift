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
    case (.at(let one), .at(let other)): .at(max(one, other))
    // The time is known, and nobody knows when the answer comes: it is asked again then.
    case (.at, _): left
    case (_, .at): right
    case (.now, .now): .now
    case (.afterAnswer, _), (_, .afterAnswer): .afterAnswer
    }
  }
}
