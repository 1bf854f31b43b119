import Conversions
import Logging

/// Whether the lane to the API is free: halted by an answer that only a person can change, it is probed until a probe
/// succeeds.
struct LaneGate: Sendable {
  /// How often a halted lane is probed.
  static let probeInterval = Duration.seconds(300)
  /// How often an order is let through while the API refuses every one.
  static let rejectingProbeInterval = Duration.seconds(3600)

  let surroundings: Surroundings
  /// Whether the API answered for referrals that it must know. No answer is none: it is asked again before the first send.
  private var hasCheckedAccount = false
  /// Whether the ledger must be asked whether the lane is halted: nobody else halts it.
  private(set) var mayBeHalted = true
  /// When a halted lane may be probed; at a start, with perhaps a new key, at once.
  private var probeAt: Duration?
  /// The halt that the log was told of, until the lane is free again: sixteen sends that are refused together are one.
  private var told: HaltReason?

  /// When this run began.
  private let startedAt: Timestamp
  /// How often the API didn't say whose account it is.
  private var turn = 0

  init(surroundings: Surroundings) {
    self.surroundings = surroundings
    startedAt = surroundings.clock.now
  }

  /// True once the lane is free; false after a wait, or a probe, that leaves it halted.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func isFree() async throws -> Bool {
    guard mayBeHalted, let halt = try await surroundings.ledger.transaction({ try $0.laneHalt() }) else {
      (mayBeHalted, told) = (false, nil)
      return true
    }
    surroundings.vitals.ill(.delivery, "\(halt.reason.rawValue): \(halt.detail)", at: halt.since)
    if let probeAt, surroundings.clock.uptime < probeAt {
      try await surroundings.deliveryBell.wait(until: probeAt, clock: surroundings.clock)
      return false
    }
    waitWithTheNextProbe(halt.reason)
    guard try await probe(halt) else { return false }
    try await surroundings.ledger.transaction { try $0.setLaneHalt(nil) }
    told = nil
    surroundings.vitals.well(.delivery, at: surroundings.clock.now)
    surroundings.log.event(.apiRecovered, .notice, "the API accepts us again; sending goes on")
    return true
  }

  /// At each start, before anything is sent with what may be a new key or `api.base_url`: whose account it is.
  ///
  /// - Returns: Nil where it is another account's, for which the lane was halted.
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

  /// Halts the lane.
  mutating func halt(_ reason: HaltReason, _ detail: String) async throws {
    waitWithTheNextProbe(reason)
    let halt = LaneHalt(reason: reason, detail: detail, since: surroundings.clock.now)
    try await surroundings.ledger.transaction { try $0.haltLane(halt) }
    tell(reason, "sending halts: \(detail)")
  }

  /// Takes in a send that halted the lane.
  mutating func halted(by ended: EndedSend) {
    guard case .halt(let reason, let detail) = ended.verdict else { return }
    waitWithTheNextProbe(reason)
    let subject = "order \(ended.order.orderID) for referral \(ended.report.referralID)"
    tell(reason, "sending halts until the API accepts us again; it answered to \(subject): \(detail)", ended.fields)
  }

  private mutating func tell(_ reason: HaltReason, _ words: String, _ fields: [String: String?] = [:]) {
    guard told != reason else { return }
    told = reason
    surroundings.log.event(.apiHalted, .error, words, fields.merging(["reason": reason.rawValue]) { $1 })
  }

  /// To be called when the lane was halted: an API that refuses our writes and not our reads would be sent a report, halt
  /// the lane and free it again as fast as the pacer lets it.
  private mutating func waitWithTheNextProbe(_ reason: HaltReason) {
    let interval = reason == .rejecting ? Self.rejectingProbeInterval : Self.probeInterval
    (probeAt, mayBeHalted) = (surroundings.clock.uptime + interval, true)
  }

  private mutating func accountVerdict(seenBefore time: Timestamp) async throws -> AccountCheck.Verdict {
    let verdict = try await AccountCheck(surroundings: surroundings, seenBefore: time, turn: turn).verdict()
    if case .undecided = verdict { turn += 1 }
    return verdict
  }

  private mutating func probe(_ halt: LaneHalt) async throws -> Bool {
    if halt.reason == .accountChanged {
      // The mirror goes on, and knows the other account's referrals by now.
      if case .ours = try await accountVerdict(seenBefore: min(startedAt, halt.since)) { return true }
      return false
    }
    return await surroundings.partners.answersReads()
  }
}

extension LedgerTransaction {
  /// Halts the lane. One that is halted because the account is another one's stays so: what frees it asks for more than
  /// what frees it from any other halt.
  func haltLane(_ halt: LaneHalt) throws {
    if try laneHalt()?.reason != .accountChanged { try setLaneHalt(halt) }
  }
}

extension PartnersService {
  /// Whether the API answers the smallest read there is as it should.
  func answersReads() async -> Bool {
    var query = ReferralQuery()
    query.pageSize = 1
    if case .success = await list(query) { return true }
    return false
  }
}
