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
