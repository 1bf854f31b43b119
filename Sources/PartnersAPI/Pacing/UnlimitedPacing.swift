import Conversions

/// Paces the writes that no limit is configured for: nothing is counted, and the shared file, which costs more than a
/// request, is only read now and then for a wait that the API asked another program of this host for.
struct UnlimitedPacing {
  /// The time for which a look into the file is valid.
  private static let lookAgeMax = Duration.milliseconds(250)

  /// The writes under way, by the numbers of their permits.
  private var inFlight: [UInt64: WriteKind] = [:]
  /// The next permit's number, of this process alone.
  private var nextNumber = UInt64.random(in: .min ... .max)
  private var lookedAt: Duration?
  private var blockedUntil: Duration?

  /// True if the file is to be read before the next verdict.
  func needsLook(at now: Duration) -> Bool { lookedAt.map { now - $0 > Self.lookAgeMax } ?? true }

  /// Takes in the time until which, by the file, nothing is to be sent, whatever sends it says are under way.
  mutating func look(blockedUntil: Duration?, at now: Duration) {
    lookedAt = now
    self.blockedUntil = blockedUntil
  }

  /// Returns the time at which the next write may leave.
  func verdict(at now: Duration) -> PacingVerdict {
    if let blockedUntil, blockedUntil > now { return .at(blockedUntil) }
    return inFlight.count < PacingRules.preparedMax ? .now : .afterAnswer
  }

  /// Begins a write at once if one may leave and the file need not be read; nil if it has to wait.
  mutating func begin(_ kind: WriteKind, refusals: UInt64, at now: Duration) -> SendPermit? {
    guard !needsLook(at: now), verdict(at: now) == .now else { return nil }
    // Counts up: a number of this process alone needs no randomness, which is a call of the kernel.
    let permit = SendPermit(number: nextNumber, refusals: refusals)
    nextNumber &+= 1
    inFlight[permit.number] = kind
    return permit
  }

  /// Ends a write; nil for one that was not begun here.
  mutating func end(_ permit: SendPermit) -> WriteKind? { inFlight.removeValue(forKey: permit.number) }

  /// Makes the file be read next: the API has refused a write, and the file says so by now.
  mutating func forgetLook() { lookedAt = nil }
}
