/// The time at which the next write may leave.
public enum PacingVerdict: Hashable, Sendable {
  /// At once.
  case now
  /// At this uptime, if nothing changes until then.
  case at(Duration)
  /// Not before one that is under way is answered.
  case afterAnswer

  /// Returns the later of two, for a write that two limits count.
  public static func later(_ left: Self, _ right: Self) -> Self {
    switch (left, right) {
    case (.at(let one), .at(let other)): .at(max(one, other))
    // The time is known, and that of the answer is not: the verdict is asked for again then.
    case (.at, _): left
    case (_, .at): right
    case (.now, .now): .now
    case (.afterAnswer, _), (_, .afterAnswer): .afterAnswer
    }
  }
}
