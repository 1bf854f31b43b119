public import Conversions
public import Logging
import Synchronization

/// The objects that every loop works with: interfaces to the outside, and signals by which the loops wake each other.
public struct PipelineContext: Sendable {
  /// The shop's orders.
  public var orders: any OrderSource
  /// The partners API.
  public var partners: any PartnersService
  /// The ledger of what must be remembered.
  public var ledger: any LedgerStore
  /// The source of time: the host's clocks, with a judgement of whether the wall clock is confirmed.
  public let clock: TrustedClock
  /// The source of randomness: the back-offs' jitter.
  public var jitter: Jitter
  /// The steps that the loops have begun.
  public let progress = LoopProgress()
  /// The health that the loops note.
  public var health: ComponentHealth
  /// The log.
  public var log: Logger
  /// The executor of tasks that outlive their maker; nil for concurrency's own threads. A caller that runs the loops on
  /// another executor, to know when they are at rest, names it here, too.
  public var executor: (any TaskExecutor)?
  /// Notified when the shop says that orders changed.
  public var intakeWake = WakeSignal()
  /// Notified when orders or referrals are to be matched.
  public var matchingWake = WakeSignal()
  /// Notified when there may be something to send.
  public var deliveryWake = WakeSignal()
  /// Notified when something was asked of the mirror: `MirrorProgress.fullSweepWantedAt`, `openWalkWantedAt`.
  public var mirrorWake = WakeSignal()
  /// Notified once the shop's table was looked at after a start: the mirror's first walk waits for it a little.
  public var surveyWake = WakeSignal()
  /// The reporter of the API's outages: one that reads and sends meet alike is logged once.
  public var apiReporter = OutageReporter()
  /// The reporter of the ledger's outages: a full disk, which every loop meets, is logged once.
  public var ledgerReporter = OutageReporter()
  /// Doubts about the API's search.
  public var searchDoubts = SearchDoubts()
  /// True once the log was told that the ledger lacks what the API has.
  public var isCopyTold = OnceFlag()
  /// The limit of lines about single orders.
  public var decisionLines = DecisionLines()
  /// The orders that were put off, each told once for a reason.
  public var putOffs = PutOffs()
  /// The watch over orders that are cancelled together.
  public var cancellations = CancellationWatch()
  /// The state that the walks over the API's list share.
  public var referralWalks = WalkState()

  /// The outside as a daemon, a test or a simulation gives it.
  public init(
    orders: any OrderSource, partners: any PartnersService, ledger: any LedgerStore, clock: any HostClock,
    jitter: Jitter, health: ComponentHealth, log: Logger
  ) {
    self.orders = orders
    self.partners = RestingPartners(base: partners)
    self.ledger = ledger
    // Wakes the loops: a jump changes each wait for a time of day, and a confirmed clock ends the wait for it.
    self.clock = TrustedClock(clock, log: log) { [matchingWake, deliveryWake, mirrorWake] in
      for signal in [matchingWake, deliveryWake, mirrorWake] { signal.notify() }
    }
    self.jitter = jitter
    self.health = health
    self.log = log
  }
}

extension PipelineContext {
  /// Returns the context of a run that follows this one in the same process, by another configuration: with what was
  /// learned of the outside forgotten, and with the clock, the health, the log and the signals kept.
  public func following(orders: any OrderSource, partners: any PartnersService) -> PipelineContext {
    var next = self
    next.orders = orders
    next.partners = RestingPartners(base: partners)
    // Begins with new ones: a loop that ended within an outage holds its reporter, which would keep the next outage untold.
    next.apiReporter = OutageReporter()
    next.ledgerReporter = OutageReporter()
    next.surveyWake = WakeSignal()
    next.searchDoubts = SearchDoubts()
    next.cancellations = CancellationWatch()
    next.referralWalks = WalkState()
    return next
  }
}

/// A flag that is raised once.
public final class OnceFlag: Sendable {
  private let isRaised = Atomic(false)

  /// A flag that is down.
  public init() {}

  /// Raises it; returns true for the first time.
  func raise() -> Bool { !isRaised.exchange(true, ordering: .relaxed) }
}

/// A source of jitter: seeded in a simulation, so that a run can be repeated.
public actor Jitter {
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
