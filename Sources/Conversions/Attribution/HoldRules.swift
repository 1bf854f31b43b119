extension Decision {
  /// Keeps the order back until a time, and says why: an operator who set no hold would look for a fault.
  mutating func hold(_ placed: PlacedAt, _ hold: Duration, until: Timestamp, now: Timestamp) {
    reason = DecisionReason.hold
    lookAgainAt = until
    let end = until.description.prefix { $0 != "." } + "Z"
    // Clocks differ by seconds; a wrong time zone is quarters of an hour.
    if placed.earliest - now > .seconds(60) {
      detail =
        "placed \(Self.words(placed.earliest - now)) in the future: is orders.time_zone right? It is held until \(end)"
      return
    }
    let isDay = placed.latest - placed.earliest > .seconds(3600)
    detail =
      if isDay, hold == .zero {
        "placed on a day without a time: it is held until that day has ended, \(end)"
      } else if isDay {
        "placed on a day without a time: it is held for reporting.hold from the end of that day, until \(end)"
      } else if hold == .zero {
        "placed in this very moment, as closely as placed_at tells: it is held until \(end)"
      } else {
        "held for reporting.hold, until \(end)"
      }
  }

  /// Returns a duration in one unit.
  private static func words(_ duration: Duration) -> String {
    let minutes = (duration.components.seconds + 30) / 60
    switch minutes {
    case ..<120: return minutes == 1 ? "1 minute" : "\(minutes) minutes"
    case ..<2880: return "\((minutes + 30) / 60) hours"
    default: return "\((minutes + 720) / 1440) days"
    }
  }
}
