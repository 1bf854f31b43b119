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
  /// Whether the API was asked for referrals that it must know.
  private var hasCheckedAccount = false
  /// Whether the ledger must be asked whether the lane is halted: nobody else halts it.
  private(set) var mayBeHalted = true
  /// When a halted lane may be probed; at a start, with perhaps a new key, at once.
  private var probeAt: Duration?

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  /// True once the lane is free; false after a wait, or a probe, that leaves it halted.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func isFree() async throws -> Bool {
    guard mayBeHalted, let halt = try await surroundings.ledger.transaction({ try $0.laneHalt() }) else {
      mayBeHalted = false
      return try await isOurAccount()
    }
    await surroundings.vitals.ill(.delivery, "\(halt.reason.rawValue): \(halt.detail)", at: halt.since)
    if let probeAt, surroundings.clock.uptime < probeAt {
      try await surroundings.deliveryBell.wait(until: probeAt, clock: surroundings.clock)
      return false
    }
    waitWithTheNextProbe(halt.reason)
    guard try await probe(halt.reason) else { return false }
    try await surroundings.ledger.transaction { try $0.setLaneHalt(nil) }
    await surroundings.vitals.well(.delivery, at: surroundings.clock.now)
    surroundings.log.event(.apiRecovered, .notice, "the API accepts us again; sending goes on")
    return try await isOurAccount()
  }

  /// Halts the lane.
  mutating func halt(_ reason: HaltReason, _ detail: String) async throws {
    waitWithTheNextProbe(reason)
    let halt = LaneHalt(reason: reason, detail: detail, since: surroundings.clock.now)
    try await surroundings.ledger.transaction { try $0.setLaneHalt(halt) }
    surroundings.log.event(.apiHalted, .error, "sending halts: \(detail)", ["reason": reason.rawValue])
  }

  /// To be called when the lane was halted: an API that refuses our writes and not our reads would be sent a report, halt
  /// the lane and free it again as fast as the pacer lets it.
  mutating func waitWithTheNextProbe(_ reason: HaltReason) {
    let interval = reason == .rejecting ? Self.rejectingProbeInterval : Self.probeInterval
    (probeAt, mayBeHalted) = (surroundings.clock.uptime + interval, true)
  }

  private func probe(_ reason: HaltReason) async throws -> Bool {
    if reason == .accountChanged { return try await !isAnotherAccount() }
    var query = ReferralQuery()
    query.pageSize = 1
    if case .success = await surroundings.partners.list(query) { return true }
    return false
  }

  /// At each start, before anything is sent with what may be a new key or `api.base_url`: another account's API would
  /// answer 404 for every referral.
  private mutating func isOurAccount() async throws -> Bool {
    guard !hasCheckedAccount else { return true }
    hasCheckedAccount = true
    guard try await isAnotherAccount() else { return true }
    try await halt(
      .accountChanged,
      "the API knows none of the referrals of this ledger: is the key, or api.base_url, another account's?")
    return false
  }

  /// Whether the API answers 404 for each of a few referrals that it showed before; one alone may have been deleted.
  private func isAnotherAccount() async throws -> Bool {
    let known = try await surroundings.ledger.transaction { try $0.knownReferrals(limit: 3) }
    guard !known.isEmpty else { return false }
    for id in known {
      guard case .failure(let failure, let head) = await surroundings.partners.referral(id), head.status == 404,
        failure.code == "NOT_FOUND"
      else { return false }
    }
    return true
  }
}
