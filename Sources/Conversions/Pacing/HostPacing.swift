/// The state that all programs of a host share to keep the limits on writes together.
///
/// It does not decide which write goes first: a permit is for whatever its holder thinks most urgent once it has it, so
/// that live orders can go before a backfill. Nor does it decide the share that other hosts or programs take: a caller
/// that learns it one day changes the `WriteLimits` that are asked with.
public struct HostPacing: Hashable, Sendable, Codable {
  /// The state of the limit on all writes.
  public private(set) var writes: PacingState
  /// The state of the limit on conversions.
  public private(set) var conversions: PacingState

  /// Makes a state with nothing sent yet.
  public init() { (writes, conversions) = (PacingState(), PacingState()) }

  /// Makes a state with nothing known of the last minute.
  public static func full(at now: Duration) -> Self {
    var pacing = Self()
    pacing.forgetLastMinute(at: now)
    return pacing
  }

  /// Forgets the last minute, but nothing of what was before.
  public mutating func forgetLastMinute(at now: Duration) {
    writes.forgetLastMinute(at: now)
    conversions.forgetLastMinute(at: now)
  }

  /// Judges when the next write of a kind may leave.
  public func verdict(_ kind: WriteKind, _ limits: WriteLimits, at now: Duration) -> PacingVerdict {
    let verdict = writes.verdict(PacingRules(limits.writes), at: now)
    guard kind == .conversion else { return verdict }
    return .later(verdict, conversions.verdict(PacingRules(limits.conversions), at: now))
  }

  /// Returns the uptime until which the API has asked that no write of a kind be sent; nil where it hasn't.
  public func blockedUntil(_ kind: WriteKind) -> Duration? {
    [writes.blockedUntil, kind == .conversion ? conversions.blockedUntil : nil].compactMap(\.self).max()
  }

  /// Records a send that is let through.
  public mutating func record(_ send: PacedSend, _ kind: WriteKind) {
    writes.record(send)
    if kind == .conversion { conversions.record(send) }
  }

  /// Records an answer. A refused conversion may have been refused by either limit, so both count the refusal.
  public mutating func record(_ answer: PacedAnswer, to number: UInt64, _ kind: WriteKind, at now: Duration) {
    writes.record(answer, to: number, at: now)
    if kind == .conversion { conversions.record(answer, to: number, at: now) }
  }

  /// Ends the wait that the API asked for; returns true if there was one.
  public mutating func endWait(at now: Duration) -> Bool {
    let wasAsked = blockedUntil(.conversion).map { $0 > now } ?? false
    writes.endWait()
    conversions.endWait()
    return wasAsked
  }

  /// Takes a send back that never left.
  public mutating func cancel(_ number: UInt64) {
    writes.cancel(number)
    conversions.cancel(number)
  }

  /// Counts sends that will never be answered as answered now; returns true if there were any; see
  /// `PacingState.expireOrphans`.
  public mutating func expireOrphans(at now: Duration, leaseMax: Duration, isGone: (_ ownerOf: PacedSend) -> Bool)
    -> Bool
  {
    let ofWrites = writes.expireOrphans(at: now, leaseMax: leaseMax, isGone: isGone)
    let ofConversions = conversions.expireOrphans(at: now, leaseMax: leaseMax, isGone: isGone)
    return ofWrites || ofConversions
  }

  /// Makes the times those of another boot; see `PacingState.rebase`.
  public mutating func rebase(from savedAt: Duration, to now: Duration) {
    writes.rebase(from: savedAt, to: now)
    conversions.rebase(from: savedAt, to: now)
  }

  /// Pulls back times that lie in the future; see `PacingState.limitToPast`.
  public mutating func limitToPast(of now: Duration) {
    writes.limitToPast(of: now)
    conversions.limitToPast(of: now)
  }
}
