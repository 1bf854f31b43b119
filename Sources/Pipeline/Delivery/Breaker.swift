import Conversions
import Logging

/// Waits out an outage of the API for all orders together, and logs it in a few lines, in place of each order's own.
struct Breaker {
  /// The number of sends of different orders without a clear answer that are the API's fault and not an order's.
  static let failuresMax = 3
  /// The number of different orders refused in a row, or with a referral that is gone, that is not the orders' fault.
  static let refusalsMax = 5

  private var outage: Outage
  private var failed: Set<EntryID> = []
  private var rejected: Set<EntryID> = []
  private var missing: Set<EntryID> = []
  /// True while the API has not said whose account it is, although it was asked.
  private var isWithoutAccount = false

  /// Failures of sending as a whole, in a row; 0 while orders may be sent one after the other.
  private(set) var failures = 0

  /// The order to be tried while sending is out of order: the one that failed last, so that one order meets the fault
  /// again and again and not all of them.
  private(set) var probe: EntryID?
  /// The number of failures of the same probe although the API was reached.
  private var probeFailures = 0
  /// The number of failures of one order after which it is asked whether the API answers at all: what always fails may
  /// be the order, and must not hold up the others for ever.
  static let probeFailuresMax = 4

  /// A breaker that knows of nothing yet; the API's outages are told through `reporter`.
  init(reporter: OutageReporter) {
    outage = Outage(of: "sending", failed: .deferred, recovered: .apiRecovered, reporter: reporter)
  }

  /// The uptime at which the log is to be reminded of the outage; nil for not at all.
  var nextLine: Duration? { outage.nextLine }

  /// Reminds the log of the outage, if it is time.
  mutating func remind(at uptime: Duration, log: Logger) { outage.remind(at: uptime, log: log) }

  /// Takes in what came of a send.
  ///
  /// A send that is late, because it was under way already when sending was found out of order, tells nothing new of
  /// sending: sixteen that fail together are one failure, and what was taken before doesn't end an outage.
  mutating func note(_ sent: Attempt.Ended, isLate: Bool, at uptime: Duration, log: Logger) {
    switch sent.verdict {
    case .review(.rejected, _): rejected.insert(sent.order.entry)
    case .rematch, .review(.referralMissing, _): missing.insert(sent.order.entry)
    case .reported, .superseded: (rejected, missing) = ([], [])
    default: break
    }
    if isLate { return }
    switch sent.verdict {
    case .unknown(let words, _): fail(words, sent.order.entry, concernsAll: false, at: uptime, log: log)
    // Concerns all orders: without an answer, it never reached the API.
    case .notDone(let words, _) where sent.httpStatus == nil:
      fail(words, sent.order.entry, concernsAll: true, at: uptime, log: log)
    // The pacer waits out a 429, and a halt has lines of its own.
    case .notDone, .halt: break
    case .reported, .review, .superseded, .rematch, .verify: recover(at: uptime, log: log)
    }
  }

  /// Takes in a look before a send that failed.
  mutating func note(_ failure: LookFailure, isLate: Bool, at uptime: Duration, log: Logger) {
    if isLate { return }
    fail("\(failure)", failure.order.entry, concernsAll: failure.cause.isUnreached, at: uptime, log: log)
  }

  /// Takes in that the API didn't say whose account it is.
  mutating func noteNoAccount(_ failure: ReadFailure, at uptime: Duration, log: Logger) {
    isWithoutAccount = true
    fail("asked for a known referral: \(failure)", nil, concernsAll: true, at: uptime, log: log)
  }

  /// Takes in that it is known whose account it is; returns true if sending was out of order for that.
  mutating func noteAccount(at uptime: Duration, log: Logger) -> Bool {
    guard isWithoutAccount else { return false }
    isWithoutAccount = false
    recover(at: uptime, log: log)
    return true
  }

  /// Gives up the probe, which turned out not to be sent, or not now: the next order is the next probe.
  mutating func letGoOfProbe() { (probe, probeFailures) = (nil, 0) }

  /// The probe that has failed so often that it may be the fault.
  var exhaustedProbe: EntryID? { probeFailures >= Self.probeFailuresMax ? probe : nil }

  /// Keeps the same order as the probe, as the API doesn't answer a read either.
  mutating func keepProbe() { probeFailures = 0 }

  /// The reason why sending must halt; nil if it need not. It stays so until an order is taken: one that is let through
  /// after a probe halts it again if nothing has changed.
  var refusal: (reason: HaltReason, detail: String)? {
    if missing.count >= Self.refusalsMax {
      return (
        .accountChanged,
        "the API does not know the referrals of \(missing.count) orders in a row: is the key another account's?"
      )
    }
    guard rejected.count >= Self.refusalsMax else { return nil }
    return (.rejecting, "the API refused \(rejected.count) orders in a row")
  }

  private mutating func recover(at uptime: Duration, log: Logger) {
    failed = []
    (failures, probe, probeFailures) = (0, nil, 0)
    outage.succeed(at: uptime, log: log)
  }

  private mutating func fail(
    _ words: String, _ entry: EntryID?, concernsAll: Bool, at uptime: Duration, log: Logger
  ) {
    if let entry { failed.insert(entry) }
    guard concernsAll || failed.count >= Self.failuresMax || failures > 0 else { return }
    failures += 1
    probeFailures = concernsAll ? 0 : probe == entry ? probeFailures + 1 : 1
    probe = entry
    outage.fail(words, at: uptime, log: log)
  }
}
