import Conversions
import Logging

/// Halts sending at an answer that only a person can change, and probes the API until it accepts us again.
struct HaltGate: Sendable {
  /// The time between two probes of halted sending.
  static let probeInterval = Duration.seconds(300)
  /// The time between two orders that are let through while the API refuses every one.
  static let rejectingProbeInterval = Duration.seconds(3600)

  let context: PipelineContext
  /// True once the API answered for referrals that it must know. Without an answer it is asked again before any send.
  private var hasCheckedAccount = false
  /// True while the ledger must be asked whether sending is halted: nothing else halts it.
  private(set) var mayBeHalted = true
  /// The uptime at which the API may be probed while sending is halted; nil for at once, at a start with maybe a new
  /// key.
  private var probeAt: Duration?
  /// The halt that the log was told of, until sending is free again: sixteen sends that are refused together are one.
  private var logged: HaltReason?

  /// The time at which this run began.
  private let startedAt: Timestamp
  /// The number of times that the API didn't say whose account it is.
  private var turn = 0

  init(context: PipelineContext) {
    self.context = context
    startedAt = context.clock.now
  }

  /// True once sending is free; false after a wait, or a probe, that leaves it halted.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func isFree() async throws -> Bool {
    guard mayBeHalted, let halt = try await context.ledger.transaction({ try $0.sendingHalt() }) else {
      (mayBeHalted, logged) = (false, nil)
      return true
    }
    context.health.failed(.delivery, "\(halt.reason.rawValue): \(halt.detail)", at: halt.since)
    if let probeAt, context.clock.uptime < probeAt {
      try await context.deliveryWake.wait(until: probeAt, clock: context.clock)
      return false
    }
    waitWithTheNextProbe(halt.reason)
    guard try await probe(halt) else { return false }
    try await context.ledger.transaction { try $0.setSendingHalt(nil) }
    logged = nil
    context.health.succeeded(.delivery, at: context.clock.now)
    context.log.event(.apiRecovered, .notice, "the API accepts us again; sending goes on")
    return true
  }

  /// Checks whose account it is, at each start, before anything is sent with what may be a new key or `api.base_url`.
  ///
  /// - Returns: The verdict; nil if sending was halted, as for another account.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func account() async throws -> AccountCheck.Verdict? {
    guard !hasCheckedAccount else { return .ours }
    let verdict = try await accountVerdict(seenBefore: startedAt)
    switch verdict {
    case .ours: hasCheckedAccount = true
    case .another:
      hasCheckedAccount = true
      try await halt(
        .accountChanged,
        "the API knows none of the referrals of this ledger: is the key, or api.base_url, another account's?")
      return nil
    case .undecided(let failure):
      guard let reason = failure.haltReason(in: .question) else { break }
      try await halt(reason, "\(failure)")
      return nil
    }
    return verdict
  }

  /// Halts sending.
  mutating func halt(_ reason: HaltReason, _ detail: String) async throws {
    waitWithTheNextProbe(reason)
    let halt = SendingHalt(reason: reason, detail: detail, since: context.clock.now)
    try await context.ledger.transaction { try halt.begin($0) }
    logHalt(reason, "sending halts: \(detail)")
  }

  /// Takes in a send that halts sending.
  mutating func halted(by ended: Attempt.Ended) {
    guard case .halt(let reason, let detail) = ended.verdict else { return }
    waitWithTheNextProbe(reason)
    let subject = "order \(ended.order.orderID) for referral \(ended.report.referralID)"
    logHalt(reason, "sending halts until the API accepts us again; it answered to \(subject): \(detail)", ended.fields)
  }

  private mutating func logHalt(_ reason: HaltReason, _ words: String, _ fields: [String: String?] = [:]) {
    guard logged != reason else { return }
    logged = reason
    context.log.event(.apiHalted, .error, reason.withRemedy(words), fields.merging(["reason": reason.rawValue]) { $1 })
  }

  /// Delays the next probe: an API that refuses our writes and not our reads would be sent a report, halt sending and
  /// free it again as fast as the pacer lets it.
  private mutating func waitWithTheNextProbe(_ reason: HaltReason) {
    let interval = reason == .rejecting ? Self.rejectingProbeInterval : Self.probeInterval
    (probeAt, mayBeHalted) = (context.clock.uptime + interval, true)
  }

  private mutating func accountVerdict(seenBefore time: Timestamp) async throws -> AccountCheck.Verdict {
    let verdict = try await AccountCheck(context: context, seenBefore: time, turn: turn).verdict()
    if case .undecided = verdict { turn += 1 }
    return verdict
  }

  private mutating func probe(_ halt: SendingHalt) async throws -> Bool {
    if halt.reason == .accountChanged {
      // Asks for referrals known before the halt: the mirror goes on, and knows the other account's by now.
      if case .ours = try await accountVerdict(seenBefore: min(startedAt, halt.since)) { return true }
      return false
    }
    return await context.partners.answersReads()
  }
}

extension SendingHalt {
  /// Halts sending. A halt because the account is another one's stays: its end asks for more than that of any other.
  func begin(_ ledger: any LedgerTransaction) throws {
    if try ledger.sendingHalt()?.reason != .accountChanged { try ledger.setSendingHalt(self) }
  }
}

extension PartnersService {
  /// Returns true if the API answers the smallest read there is as it should.
  func answersReads() async -> Bool {
    var query = ReferralQuery()
    query.pageSize = 1
    if case .success = await list(query) { return true }
    return false
  }
}
