/// The state of the intake as a whole.
public struct IntakeProgress: Hashable, Sendable, Codable {
  /// A transaction number of the shop's database, and the time at which it was the oldest unfinished one.
  public struct HorizonNote: Hashable, Sendable, Codable {
    /// The number below which every version was visible then.
    public var horizon: UInt64
    /// The time at which it was taken, by the host's clock.
    public var takenAt: Timestamp

    /// Makes a note from its values.
    public init(horizon: UInt64, takenAt: Timestamp) {
      self.horizon = horizon
      self.takenAt = takenAt
    }
  }

  /// The time that `orders.start` came to when this ledger first met the shop: orders placed before it take no part.
  public var takesOrdersFrom: Timestamp?
  /// The time from which on a mapping was accepted under which orders may have other IDs: earlier ones would be
  /// reported again, whatever `orders.start` comes to.
  public var acceptedFrom: Timestamp?
  /// True once `takesOrdersFrom` is fixed for good.
  public var isStartFixed: Bool
  /// The time at which this run of the daemon had read all that may have changed, and every referral was known: until
  /// then nothing is frozen.
  public var caughtUpAt: Timestamp?
  /// The time at which that first happened: orders seen before it are the backfill.
  public var firstCaughtUpAt: Timestamp?
  /// The time at which every range was last read in this run.
  public var lastWalkAt: Timestamp?
  /// The `ShopSurvey.identity` of the table that the ranges' marks belong to.
  public var identity: String?
  /// The highest transaction number seen: a server that is behind it was set back.
  public var endSeen: UInt64?
  /// The position that the last look for recent changes left, as the source writes it.
  public var recentPosition: String?
  /// A horizon that waits for a complete sweep of the referrals.
  public var noted: HorizonNote?
  /// The last horizon after which a complete sweep of the referrals began: a row that was visible by then, and matches
  /// none of them, has no referral.
  public var covered: HorizonNote?
  /// The time by which the shop's clock is ahead of the host's, smoothed; negative where it is behind.
  public var clockAhead: Duration?
  /// The time until which, where this ledger was built anew or restored, sends of the one before it may still be under
  /// way. Nothing is frozen before a complete sweep of the referrals that began after it.
  public var quietUntil: Timestamp?
  /// The time at which something was last stored: what this file can't know of happened after it, if it is a copy that
  /// was put back.
  public var aliveAt: Timestamp?
  /// The beginning of the time of which this ledger may know less than the API does: it was restored or built anew.
  public var unknownFrom: Timestamp?
  /// The end of that time.
  public var unknownTo: Timestamp?

  /// A time of which the ledger knows nothing, as it was restored from a copy or built anew.
  public var unknownTime: ClosedRange<Timestamp>? {
    guard let unknownFrom, let unknownTo, unknownFrom <= unknownTo else { return nil }
    return unknownFrom...unknownTo
  }

  /// The spelling in which the ledger keeps it.
  private enum CodingKeys: String, CodingKey {
    case isStartFixed = "isStartSettled"
    case covered = "settled"
    case takesOrdersFrom, acceptedFrom, caughtUpAt, firstCaughtUpAt, lastWalkAt, identity, endSeen, recentPosition
    case noted, clockAhead, quietUntil, aliveAt, unknownFrom, unknownTo
  }

  /// Makes the state before anything was read.
  public init() { isStartFixed = false }

  /// Takes in that a run begins, and that nothing is known of the time since the last one stored something.
  public mutating func noteGap(since alive: Timestamp, until now: Timestamp) {
    guard alive < now else { return }
    unknownFrom = min(unknownFrom ?? alive, alive)
    unknownTo = max(unknownTo ?? now, now)
  }

  /// Makes a ledger that takes another one's place wait for what that one had sent: nothing that was never sent is sent
  /// before a complete sweep of the referrals that began after its last request must have ended.
  ///
  /// - Parameters:
  ///   - end: The time after which no request of the former ledger began.
  ///   - timeout: The longest time that a request may last.
  /// - Returns: The time before which that sweep doesn't begin.
  public mutating func keepQuiet(after end: Timestamp, timeout: Duration) -> Timestamp {
    let until = end + timeout + SendResult.doubtLasts
    let latest = max(quietUntil ?? until, until)
    quietUntil = latest
    return latest
  }

  /// Takes in that another mapping was accepted: orders are taken in from a time on, and all else that is known is of the
  /// table before. A mapping that keeps the IDs leaves the time of one before it that didn't, but for a time that is
  /// asked for and reaches back behind it.
  public mutating func noteAcceptance(from time: Timestamp?, keepsIDs: Bool) {
    (takesOrdersFrom, isStartFixed) = (time, true)
    (identity, endSeen, recentPosition) = (nil, nil, nil)
    (noted, covered) = (nil, nil)
    guard keepsIDs else { return acceptedFrom = time }
    if let accepted = acceptedFrom, let time { acceptedFrom = min(accepted, time) }
  }

  /// Takes in that `orders.start` is another one, with the time that it names, to which an accepted mapping is no bar any
  /// more. Returns true if a start had been found: it is found anew, and every order is read again.
  public mutating func noteStart(from time: Timestamp?) -> Bool {
    if let accepted = acceptedFrom, let time { acceptedFrom = min(accepted, time) }
    guard isStartFixed else { return false }
    (isStartFixed, takesOrdersFrom) = (false, nil)
    return true
  }

  /// The change above which a difference was not drift: a clock was set.
  private static let clockJump = Duration.seconds(30)

  /// Takes in the time by which the shop's clock was found to be ahead.
  public mutating func noteClock(_ ahead: Duration) {
    guard let known = clockAhead, abs((ahead - known).inSeconds) <= Self.clockJump.inSeconds else {
      return clockAhead = ahead
    }
    clockAhead = known + (ahead - known) / 8
  }
}
