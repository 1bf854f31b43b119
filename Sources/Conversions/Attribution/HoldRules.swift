extension Decision {
  /// Keeps the order back until a time, and says why: an operator who set no hold would look for a fault.
  mutating func hold(_ placed: PlacedAt, _ hold: Duration, until: Timestamp) {
    reason = DecisionReason.hold
    lookAgainAt = until
    let end = until.description.prefix { $0 != "." } + "Z"
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
}
