public import Conversions
public import Logging

/// What every loop works with: the seams to the outside, and the bells by which the loops wake each other.
public struct Surroundings: Sendable {
  /// The shop's orders.
  public var orders: any OrderSource
  /// The partners API.
  public var partners: any PartnersService
  /// What must be remembered.
  public var ledger: any LedgerStore
  /// The entry of time: the host's clocks, with a judgement of whether the wall clock is confirmed.
  public let clock: TrustedClock
  /// Where chance enters: the back-offs' jitter.
  public var chance: Chance
  /// Where the loops tell how they are.
  public var vitals: Vitals
  /// The log.
  public var log: Logger
  /// Where tasks run that outlive their maker; nil for concurrency's own threads. Whoever runs the loops on another
  /// executor, to know when they are at rest, names it here, too.
  public var executor: (any TaskExecutor)?
  /// Rung when the shop says that orders changed.
  public var intakeBell = Doorbell()
  /// Rung when orders or referrals are to be matched.
  public var matchingBell = Doorbell()
  /// Rung when there may be something to send.
  public var deliveryBell = Doorbell()
  /// Rung when something was asked of the mirror: `MirrorProgress.fullSweepWantedAt`, `openWalkWantedAt`.
  public var mirrorBell = Doorbell()
  /// Rung once the shop's table was looked at after a start: the mirror's first walk waits for it a little.
  public var surveyBell = Doorbell()
  /// Whose it is to tell the log of an outage of the API: one that reads and sends meet alike is told once.
  public var apiVoice = OutageVoice()
  /// Doubts about the API's search.
  public var searchDoubts = SearchDoubts()
  /// What the walks over the API's list have in common.
  public var referralWalks = ReferralWalks()

  /// The outside as a daemon, a test or a simulation gives it.
  public init(
    orders: any OrderSource, partners: any PartnersService, ledger: any LedgerStore, clock: any HostClock,
    chance: Chance, vitals: Vitals, log: Logger
  ) {
    self.orders = orders
    self.partners = partners
    self.ledger = ledger
    // What waits for a time of day waits for another one after a jump, and what waits for the clock is free once it is confirmed.
    self.clock = TrustedClock(clock, log: log) { [matchingBell, deliveryBell, mirrorBell] in
      for bell in [matchingBell, deliveryBell, mirrorBell] { bell.ring() }
    }
    self.chance = chance
    self.vitals = vitals
    self.log = log
  }
}

/// A source of jitter: seeded in a simulation, so that a run can be repeated.
public actor Chance {
  private var generator: any RandomNumberGenerator & Sendable

  /// Jitter from a generator.
  public init(_ generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()) {
    self.generator = generator
  }

  /// A back-off's wait after so many failures in a row.
  public func wait(_ backoff: Backoff, afterFailures failures: Int) -> Duration {
    backoff.wait(afterFailures: failures, using: &generator)
  }
}
