import Conversions
import Logging
import Synchronization

/// Decides how many orders may be under way, and when. Holds the state of one run; what must outlast it is in the
/// ledger.
struct SendWindow {
  /// The most orders that are under way at once; the pacer mostly lets fewer. With more, the answers to their questions
  /// would be too old when their turn comes.
  private static let widthMax = PacingRules.inFlightMax

  let ended: EndedAttempts
  var gate: HaltGate
  var queue: SendQueue
  /// True once no send is marked as under way that isn't.
  var hasRecovered = false
  /// The number of the clock's jumps when due times were last repaired.
  var repairedAt: Int?
  /// The orders that are under way.
  var inFlight: Set<EntryID> = []
  /// The number that may be under way: one until the API has taken an order, one more with each that it takes, and one
  /// again after a failure, so that whatever is wrong is found out with one order and not with sixteen.
  private(set) var width = 1
  /// The uptime until which nothing is sent, while the API is out of order.
  private(set) var restUntil: Duration?
  /// The uptime until which the API has asked that nothing be sent, whatever became of what was under way. A 429's wait
  /// is the pacer's.
  private var askedUntil: Duration?
  /// The uptime until which, as the log was told, nothing is sent.
  private var loggedUntil = Duration.zero
  /// The longest wait that is not logged.
  private static let untoldMax = Duration.seconds(60)
  private(set) var breaker: Breaker
  /// The check for orders whose IDs are all other orders' to the API.
  var conflicts = ConflictHint()
  /// The orders that were under way when sending was last found out of order.
  private var late: Set<EntryID> = []

  init(_ context: PipelineContext, keys: [MatchingKey]) {
    ended = EndedAttempts(signal: context.deliveryWake)
    gate = HaltGate(context: context)
    queue = SendQueue(context, keys: keys)
    breaker = Breaker(reporter: context.apiReporter)
  }

  /// Takes in that an order is not under way any more; returns true if it was when sending was found out of order.
  mutating func end(_ entry: EntryID) -> Bool {
    inFlight.remove(entry)
    return late.remove(entry) != nil
  }

  /// Takes in what came of a send.
  mutating func note(
    _ ended: Attempt.Ended, isLate: Bool, wait: (_ failures: Int) async -> Duration, _ context: PipelineContext
  ) async {
    // Ignores a withdrawn send: it tells nothing of the API; the one because of which it was withdrawn does.
    if ended.isWithdrawn { return }
    let uptime = context.clock.uptime
    breaker.note(ended, isLate: isLate, at: uptime, log: context.log)
    gate.halted(by: ended)
    noteWait(of: ended, at: uptime, context)
    if isLate { return }
    guard ended.verdict.isTaken else { return await slowDown(wait, at: uptime) }
    restUntil = nil
    width = min(Self.widthMax, width + 1)
  }

  /// Returns the next order, which stays the next until it is taken.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func next() async throws -> LedgerOrder? {
    try await queue.next(except: inFlight, width: width, probe: breaker.probe)
  }

  /// Takes in how long the API asks us to wait: what it asks of one sender it asks of all that is sent.
  private mutating func noteWait(of ended: Attempt.Ended, at uptime: Duration, _ context: PipelineContext) {
    guard let after = ended.verdict.retryAfter else { return }
    if case .unknown = ended.verdict { askedUntil = max(askedUntil ?? uptime, uptime + after) }
    guard after > Self.untoldMax, uptime + after > loggedUntil + Self.untoldMax else { return }
    loggedUntil = uptime + after
    let until = context.clock.now + after
    context.log.event(
      .deferred, .warning,
      "the API asks us to wait (HTTP \(ended.httpStatus ?? 0)): nothing is sent until \(until)",
      ["http_status": ended.httpStatus.map(String.init), "next_try": until.description])
  }

  /// Returns true if one more may be under way now.
  func mayBegin(at uptime: Duration) -> Bool {
    hasRecovered && !gate.mayBeHalted && inFlight.count < width && pause.map { $0 <= uptime } ?? true
  }

  /// The uptime until which nothing is sent; nil for none.
  private var pause: Duration? { [restUntil, askedUntil].compactMap(\.self).max() }

  /// Takes in a look before a send that failed.
  mutating func note(
    _ failure: LookFailure, isLate: Bool, wait: (_ failures: Int) async -> Duration, _ context: PipelineContext
  ) async {
    let uptime = context.clock.uptime
    breaker.note(failure, isLate: isLate, at: uptime, log: context.log)
    if !isLate { await slowDown(wait, at: uptime) }
  }

  /// Returns true if the API is our account's, for all that was ever found out; asks it if nothing was. Without an
  /// answer nothing is sent, and sending is out of order.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func isOurAccount(
    wait: (_ failures: Int) async -> Duration, _ context: PipelineContext
  ) async throws -> Bool {
    switch try await gate.account() {
    case .ours?:
      guard breaker.noteAccount(at: context.clock.uptime, log: context.log) else { return true }
      restUntil = nil
      context.health.succeeded(.delivery, at: context.clock.now)
      return true
    case .undecided(let failure)?:
      breaker.noteNoAccount(failure, at: context.clock.uptime, log: context.log)
      context.health.failed(.delivery, "\(failure)", at: context.clock.now)
      await slowDown(wait, at: context.clock.uptime)
      return false
    case .another?, nil: return false
    }
  }

  /// Takes in that nothing was sent for an order after all: asked for again at once, it would be so again and again.
  mutating func noteNothing(of entry: EntryID) {
    if breaker.probe == entry { breaker.letGoOfProbe() }
  }

  /// Returns the uptime until which nothing need be done, and nothing is sent; nil if there is no such time to come.
  func rest(at uptime: Duration) -> Duration? {
    guard let pause, uptime < pause else { return nil }
    return min(pause, breaker.nextLine ?? pause)
  }

  /// Reminds the log of an outage that goes on.
  mutating func remind(_ context: PipelineContext) {
    breaker.remind(at: context.clock.uptime, log: context.log)
  }

  /// Makes another order the probe if the one that is has failed again and again, and the API answers a read.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func changeProbe(_ context: PipelineContext) async throws {
    guard let probe = breaker.exhaustedProbe else { return }
    guard await context.partners.answersReads() else { return breaker.keepProbe() }
    breaker.letGoOfProbe()
    let later = context.clock.now + ReferralQuestion.wait
    try await context.ledger.transaction { transaction in
      // Puts off an order that couldn't be looked at: it kept its place in the queue, and would be the next again.
      guard let order = try transaction.entry(probe), !order.mayHaveBeenDone else { return }
      try transaction.postpone(
        probe, until: later, reason: order.reason ?? LookFailure.reason, detail: order.detail ?? "")
    }
  }

  /// Limits attempts to one at a time again.
  mutating func narrow() {
    width = 1
    queue.forget()
  }

  private mutating func slowDown(_ wait: (_ failures: Int) async -> Duration, at uptime: Duration) async {
    narrow()
    guard breaker.failures > 0 else { return }
    late = inFlight
    restUntil = uptime + (await wait(breaker.failures))
  }
}

/// Keeps what attempts have ended with until the loop takes it in.
final class EndedAttempts: Sendable {
  private let waiting = Mutex<[(entry: EntryID, end: AttemptRunner.AttemptEnd)]>([])
  private let signal: WakeSignal

  /// No attempt yet; each that ends notifies the signal.
  init(signal: WakeSignal) { self.signal = signal }

  func add(_ end: AttemptRunner.AttemptEnd, of entry: EntryID) {
    waiting.withLock { $0.append((entry, end)) }
    signal.notify()
  }

  /// Takes all there are.
  func take() -> [(entry: EntryID, end: AttemptRunner.AttemptEnd)] {
    waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
