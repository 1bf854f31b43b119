import Conversions

/// The pace of writes that no limit is configured for: nothing is counted, and the shared file, which costs more than a
/// request, is only looked into now and then for a wait that the API asked another program of this host for.
struct UnlimitedPacing {
  /// How long a look into the file holds.
  private static let lookAgeMax = Duration.milliseconds(250)

  /// By their permits' numbers.
  private var inFlight: [UInt64: WriteKind] = [:]
  /// In this process alone.
  private var nextNumber = UInt64.random(in: .min ... .max)
  private var lookedAt: Duration?
  private var blockedUntil: Duration?

  /// Whether the file is to be looked into before the next verdict.
  func needsLook(at now: Duration) -> Bool { lookedAt.map { now - $0 > Self.lookAgeMax } ?? true }

  /// Takes in until when the file says that nothing is to be sent, whatever else it says of who is in flight.
  mutating func look(blockedUntil: Duration?, at now: Duration) {
    lookedAt = now
    self.blockedUntil = blockedUntil
  }

  /// When the next write may leave.
  func verdict(at now: Duration) -> PacingVerdict {
    if let blockedUntil, blockedUntil > now { return .at(blockedUntil) }
    return inFlight.count < PacingRules.preparedMax ? .now : .afterAnswer
  }

  /// Begins a write at once where one may leave and the file need not be looked into; nil where it is to be waited for.
  mutating func begin(_ kind: WriteKind, refusals: UInt64, at now: Duration) -> SendPermit? {
    guard !needsLook(at: now), verdict(at: now) == .now else { return nil }
    // Known in this process alone: no need for chance, which is a call of the kernel.
    let permit = SendPermit(number: nextNumber, refusals: refusals)
    nextNumber &+= 1
    inFlight[permit.number] = kind
    return permit
  }

  /// Ends a write; nil for one that is none of these.
  mutating func end(_ permit: SendPermit) -> WriteKind? { inFlight.removeValue(forKey: permit.number) }

  /// The API has refused one: the file is looked into next, where that has been written.
  mutating func forgetLook() { lookedAt = nil }
}
