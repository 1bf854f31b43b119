import Conversions
import Logging
import Synchronization

/// What a run of delivery keeps in mind of its lane to the API; what must outlast it is in the ledger.
struct Lane {
  /// The most orders that are under way at once; the pacer mostly lets fewer. With more, the answers to their questions
  /// would be too old when their turn comes.
  private static let widthMax = PacingRules.inFlightMax

  let landings: Landings
  var gate: LaneGate
  var queue: SendQueue
  /// Whether no send is marked as under way that isn't.
  var hasRecovered = false
  /// The clock's jumps when due times were last repaired.
  var repairedAt: Int?
  /// Which orders are under way.
  var flying: Set<EntryID> = []
  /// How many may be: one until the API has taken an order, one more with each that it takes, and one again after a
  /// failure, so that whatever is wrong is found out with one order and not with sixteen.
  private(set) var width = 1
  /// Until when nothing is sent, while the API is out of order.
  private(set) var restUntil: Duration?
  /// Until when the API has asked that nothing be sent, whatever became of what was on its way. A 429's wait is the pacer's.
  private var askedUntil: Duration?
  /// Until when the log was told that nothing is sent.
  private var toldUntil = Duration.zero
  /// A wait that is longer is told to the log.
  private static let untoldMax = Duration.seconds(60)
  private(set) var health: LaneHealth
  /// Whether every order's ID is another's.
  var conflicts = ConflictHint()
  /// Which were under way when the lane was last found out of order.
  private var late: Set<EntryID> = []
  /// The outage of the ledger and the pacer's file.
  private var outage = Outage(of: "delivery", failed: .ledgerFailed, recovered: .ledgerRecovered)
  /// The outage of the shop's database.
  private var shopOutage = Outage(
    of: "looking at orders before their reports", failed: .pollFailed, recovered: .pollRecovered)

  init(_ surroundings: Surroundings, keys: [MatchingKey]) {
    landings = Landings(bell: surroundings.deliveryBell)
    gate = LaneGate(surroundings: surroundings)
    queue = SendQueue(surroundings, keys: keys)
    health = LaneHealth(voice: surroundings.apiVoice)
  }

  /// Failures in a row of what isn't the API's.
  var failures: Int { outage.failures + shopOutage.failures }

  /// Tells of a failure of the shop's database, or of the ledger.
  mutating func fail(_ message: String, isShop: Bool, at uptime: Duration, log: Logger) {
    if isShop {
      shopOutage.fail(message, at: uptime, log: log)
    } else {
      outage.fail(message, level: .error, at: uptime, log: log)
    }
  }

  /// Takes in that both are well.
  mutating func succeed(at uptime: Duration, log: Logger) {
    outage.succeed(at: uptime, log: log)
    shopOutage.succeed(at: uptime, log: log)
  }

  /// Takes in that an order is not under way any more; tells whether it was already when the lane was found out of order.
  mutating func land(_ entry: EntryID) -> Bool {
    flying.remove(entry)
    return late.remove(entry) != nil
  }

  /// Takes in what came of a send.
  mutating func note(
    _ ended: EndedSend, isLate: Bool, wait: (_ failures: Int) async -> Duration, _ surroundings: Surroundings
  ) async {
    // Tells nothing of the API; the one because of which it was withdrawn does.
    if ended.isWithdrawn { return }
    let uptime = surroundings.clock.uptime
    health.note(ended, isLate: isLate, at: uptime, log: surroundings.log)
    gate.halted(by: ended)
    noteWait(of: ended, at: uptime, surroundings)
    if isLate { return }
    guard ended.verdict.isTaken else { return await slowDown(wait, at: uptime) }
    restUntil = nil
    width = min(Self.widthMax, width + 1)
  }

  /// The next order, which stays that until it is taken.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func next() async throws -> LedgerOrder? {
    try await queue.next(except: flying, width: width, probe: health.probe)
  }

  /// Takes in how long the API asks us to wait: what it asks of one sender it asks of all that is sent.
  private mutating func noteWait(of ended: EndedSend, at uptime: Duration, _ surroundings: Surroundings) {
    guard let after = ended.verdict.retryAfter else { return }
    if case .unknown = ended.verdict { askedUntil = max(askedUntil ?? uptime, uptime + after) }
    guard after > Self.untoldMax, uptime + after > toldUntil + Self.untoldMax else { return }
    toldUntil = uptime + after
    let until = surroundings.clock.now + after
    surroundings.log.event(
      .deferred, .warning,
      "the API asks us to wait (HTTP \(ended.httpStatus ?? 0)): nothing is sent until \(until)",
      ["http_status": ended.httpStatus.map(String.init), "next_try": until.description])
  }

  /// Whether one more may be under way now.
  func mayBegin(at uptime: Duration) -> Bool {
    hasRecovered && !gate.mayBeHalted && flying.count < width && pause.map { $0 <= uptime } ?? true
  }

  /// Until when nothing is sent.
  private var pause: Duration? { [restUntil, askedUntil].compactMap(\.self).max() }

  /// Takes in a look before a send that failed.
  mutating func note(
    _ failure: LookFailure, isLate: Bool, wait: (_ failures: Int) async -> Duration, _ surroundings: Surroundings
  ) async {
    let uptime = surroundings.clock.uptime
    health.note(failure, isLate: isLate, at: uptime, log: surroundings.log)
    if !isLate { await slowDown(wait, at: uptime) }
  }

  /// Whether the API is our account's, for all that was ever found out; asks it where nothing was. Without an answer
  /// nothing is sent, and the lane is out of order.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func isOurAccount(
    wait: (_ failures: Int) async -> Duration, _ surroundings: Surroundings
  ) async throws -> Bool {
    switch try await gate.account() {
    case .ours?:
      guard health.noteAccount(at: surroundings.clock.uptime, log: surroundings.log) else { return true }
      restUntil = nil
      surroundings.vitals.well(.delivery, at: surroundings.clock.now)
      return true
    case .undecided(let failure)?:
      health.noteNoAccount(failure, at: surroundings.clock.uptime, log: surroundings.log)
      surroundings.vitals.ill(.delivery, "\(failure)", at: surroundings.clock.now)
      await slowDown(wait, at: surroundings.clock.uptime)
      return false
    case .another?, nil: return false
    }
  }

  /// Takes in that nothing was sent for an order after all: asked for again at once, it would be so again and again.
  mutating func noteNothing(of entry: EntryID) {
    if health.probe == entry { health.letGoOfProbe() }
  }

  /// Until when nothing need be done, and nothing is sent; nil where there is no such time to come.
  func rest(at uptime: Duration) -> Duration? {
    guard let pause, uptime < pause else { return nil }
    return min(pause, health.nextLine ?? pause)
  }

  /// Reminds the log of an outage that goes on.
  mutating func remind(_ surroundings: Surroundings) {
    health.remind(at: surroundings.clock.uptime, log: surroundings.log)
  }

  /// Has another order probe where the one that does has failed again and again, and the API answers a read.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func changeProbe(_ surroundings: Surroundings) async throws {
    guard let worn = health.wornProbe else { return }
    guard await surroundings.partners.answersReads() else { return health.keepProbe() }
    health.letGoOfProbe()
    let later = surroundings.clock.now + ReferralQuestion.wait
    try await surroundings.ledger.transaction { transaction in
      // One that couldn't be looked at kept its place in the queue, and would be the next again.
      guard let order = try transaction.entry(worn), !order.mayHaveBeenDone else { return }
      try transaction.postpone(
        worn, until: later, reason: order.reason ?? LookFailure.reason, detail: order.detail ?? "")
    }
  }

  /// One at a time again.
  mutating func narrow() {
    width = 1
    queue.forget()
  }

  private mutating func slowDown(_ wait: (_ failures: Int) async -> Duration, at uptime: Duration) async {
    narrow()
    guard health.failures > 0 else { return }
    late = flying
    restUntil = uptime + (await wait(health.failures))
  }
}

/// What flights have ended with, until the loop takes it in.
final class Landings: Sendable {
  private let landed = Mutex<[(entry: EntryID, landing: Flight.Landing)]>([])
  private let bell: Doorbell

  /// Landings that ring a bell.
  init(bell: Doorbell) { self.bell = bell }

  func add(_ landing: Flight.Landing, of entry: EntryID) {
    landed.withLock { $0.append((entry, landing)) }
    bell.ring()
  }

  /// Takes all there are.
  func take() -> [(entry: EntryID, landing: Flight.Landing)] {
    landed.withLock { landed in
      defer { landed = [] }
      return landed
    }
  }
}

extension SendVerdict {
  /// How long the API asks us to wait.
  fileprivate var retryAfter: Duration? {
    switch self {
    case .unknown(_, let after), .notDone(_, let after): after
    case .reported, .review, .superseded, .halt, .rematch, .verify: nil
    }
  }

  /// Whether the API has taken the order.
  fileprivate var isTaken: Bool {
    switch self {
    case .reported, .superseded: true
    case .review, .rematch, .unknown, .verify, .notDone, .halt: false
    }
  }
}
