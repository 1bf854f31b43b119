public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that sends what is queued, one conversion at a time, through the pacer.
///
/// The order of things is the whole of its safety: wait for the pacer, look at the order again, freeze the report and
/// mark the send in the ledger, send, store what came of it. A crash between any two of these is an unknown outcome at
/// worst, and an unknown outcome is sent again with the same bytes.
public struct Delivery: Service {
  /// How delivery is to go about.
  public struct Settings: Sendable {
    /// How long an order is tried before a person is asked.
    public var giveUpAfter: Duration
    /// Whether nothing is to be sent, only said.
    public var isDryRun: Bool
    /// How long a send under way may go on once the daemon is told to stop.
    public var stopGrace: Duration

    /// Settings as configured.
    public init(giveUpAfter: Duration, isDryRun: Bool = false, stopGrace: Duration = .seconds(10)) {
      self.giveUpAfter = giveUpAfter
      self.isDryRun = isDryRun
      self.stopGrace = stopGrace
    }
  }

  /// How often a halted lane is probed.
  static let probeInterval = Duration.seconds(300)
  /// How often an order is let through while the API refuses every one.
  static let rejectingProbeInterval = Duration.seconds(3600)

  private let surroundings: Surroundings
  private let rules: AttributionRules
  private let settings: Settings

  /// A delivery with the rules by which changed orders are decided anew.
  public init(_ surroundings: Surroundings, rules: AttributionRules, settings: Settings) {
    self.surroundings = surroundings
    self.rules = rules
    self.settings = settings
  }

  /// Sends until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  /// What a run of the loop keeps in mind; what must outlast it is in the ledger.
  private struct Lane {
    /// Whether no send is marked as under way that isn't.
    var hasRecovered = false
    /// Whether the API was asked for referrals that it must know.
    var hasCheckedAccount = false
    /// When a halted lane may be probed; at a start, with perhaps a new key, at once.
    var probeAt: Duration?
    var health = LaneHealth()
  }

  private func loop() async {
    var outage = Outage(of: "delivery", failed: .ledgerFailed, recovered: .ledgerRecovered)
    var lane = Lane()
    while !Task.isCancelled {
      do {
        if !lane.hasRecovered { try await recover() }
        lane.hasRecovered = true
        if try await probeIfHalted(&lane), try await checkAccount(&lane) { try await step(&lane) }
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
      } catch is CancellationError where Task.isCancelled {
        return
      } catch let refusal as LaneRefusal {
        try? await halt(&lane, refusal.reason, refusal.detail)
      } catch {
        // What came of a send may be the very thing that couldn't be stored: nothing is under way now.
        lane.hasRecovered = false
        await report(error, &outage)
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: wait)
      }
    }
  }

  private func report(_ error: any Error, _ outage: inout Outage) async {
    let organ: Vitals.Organ = error is OrderSourceFailure ? .database : error is LedgerFailure ? .ledger : .delivery
    await surroundings.vitals.ill(organ, "\(error)", at: surroundings.clock.now)
    outage.fail(
      "\(error)", level: organ == .database ? .warning : .error, at: surroundings.clock.uptime, log: surroundings.log)
  }

  /// A send that is marked as under way, and isn't, may have been done: the daemon ended during it, or what came of it
  /// couldn't be stored.
  private func recover() async throws {
    let now = surroundings.clock.now
    let count = try await surroundings.ledger.transaction { try $0.recoverInterruptedSends(at: now) }
    guard count > 0 else { return }
    surroundings.log.event(
      .deferred, .notice, "\(count) sends were interrupted; the same bytes are sent again", ["reason": "interrupted"])
  }

  /// Sends the next order, or sleeps until there may be one.
  private func step(_ lane: inout Lane) async throws {
    let now = surroundings.clock.now
    let (next, nextAt) = try await surroundings.ledger.transaction {
      (try $0.nextToSend(at: now), try $0.nextSendAt())
    }
    guard next != nil else {
      let deadline = nextAt.map {
        surroundings.clock.uptime + min(max($0 - now, .seconds(1)), Backoff.delivery.longest)
      }
      return try await surroundings.deliveryBell.wait(until: deadline, clock: surroundings.clock)
    }
    if settings.isDryRun { return try await rehearse() }
    let permit = try await surroundings.partners.reserveConversion()
    let sent: Sending.Ended?
    do {
      sent = try await sendOne(permit)
    } catch {
      await surroundings.partners.cancel(permit)
      throw error
    }
    guard let sent else { return await surroundings.partners.cancel(permit) }
    lane.health.note(sent, at: surroundings.clock.uptime, log: surroundings.log)
    if case .halt = sent.verdict { lane.probeAt = surroundings.clock.uptime + Self.probeInterval }
    if let refusal = lane.health.refusal { try await halt(&lane, refusal.reason, refusal.detail) }
    guard lane.health.failures > 0 else { return }
    let wait = await surroundings.chance.wait(.delivery, afterFailures: lane.health.failures)
    try await surroundings.clock.sleep(for: wait)
  }

  /// Chooses after the wait for the permit, as the queue may have changed during it; nil where the permit wasn't used.
  private func sendOne(_ permit: SendPermit) async throws -> Sending.Ended? {
    let now = surroundings.clock.now
    guard let queued = try await surroundings.ledger.transaction({ try $0.nextToSend(at: now) }) else { return nil }
    let preparing = SendPreparing(surroundings: surroundings, rules: rules, giveUpAfter: settings.giveUpAfter)
    switch try await preparing.prepare(queued) {
    case .dropped, .postponed:
      // Decided anew, it may have let go of its referral.
      surroundings.matchingBell.ring()
      return nil
    case .settleUnknown(let order, let frozen):
      try await UnknownSettling(surroundings: surroundings).settle(order, frozen)
      return nil
    case .send(let order, let report):
      try Task.checkCancellation()
      let sending = Sending(surroundings: surroundings, rules: rules)
      return try await shielded { try await sending.send(order, report, permit: permit) }
    }
  }

  /// Runs a send to its end although the loop is told to stop, for as long as the grace lasts.
  private func shielded<Value: Sendable>(_ send: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let (clock, grace, executor) = (surroundings.clock, settings.stopGrace, surroundings.executor)
    let task = Task(executorPreference: executor) { try await send() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      Task(executorPreference: executor) {
        let patience = Task(executorPreference: executor) {
          try await clock.sleep(for: grace)
          task.cancel()
        }
        _ = await task.result
        patience.cancel()
      }
    }
  }

  /// While the lane is halted, probes with a read at each start and then every five minutes; true once it is free.
  ///
  /// Never sooner after a halt: an API that refuses our writes and not our reads would be sent a report, halt the lane
  /// and free it again as fast as the pacer lets it.
  private func probeIfHalted(_ lane: inout Lane) async throws -> Bool {
    guard let halt = try await surroundings.ledger.transaction({ try $0.laneHalt() }) else { return true }
    await surroundings.vitals.ill(.delivery, "\(halt.reason.rawValue): \(halt.detail)", at: halt.since)
    if let probeAt = lane.probeAt, surroundings.clock.uptime < probeAt {
      try await surroundings.deliveryBell.wait(until: probeAt, clock: surroundings.clock)
      return false
    }
    lane.probeAt = surroundings.clock.uptime + Self.probeInterval
    if halt.reason == .rejecting { lane.probeAt = surroundings.clock.uptime + Self.rejectingProbeInterval }
    guard try await probe(halt.reason) else { return false }
    try await surroundings.ledger.transaction { try $0.setLaneHalt(nil) }
    await surroundings.vitals.well(.delivery, at: surroundings.clock.now)
    surroundings.log.event(.apiRecovered, .notice, "the API accepts us again; sending goes on")
    return true
  }

  private func probe(_ reason: HaltReason) async throws -> Bool {
    if reason == .accountChanged { return try await !isAnotherAccount() }
    var query = ReferralQuery()
    query.pageSize = 1
    if case .success = await surroundings.partners.list(query) { return true }
    return false
  }

  private func halt(_ lane: inout Lane, _ reason: HaltReason, _ detail: String) async throws {
    let halt = LaneHalt(reason: reason, detail: detail, since: surroundings.clock.now)
    try await surroundings.ledger.transaction { try $0.setLaneHalt(halt) }
    let interval = reason == .rejecting ? Self.rejectingProbeInterval : Self.probeInterval
    lane.probeAt = surroundings.clock.uptime + interval
    surroundings.log.event(.apiHalted, .error, "sending halts: \(detail)", ["reason": reason.rawValue])
  }

  /// At each start, before anything is sent with what may be a new key or `api.base_url`: another account's API would
  /// answer 404 for every referral.
  private func checkAccount(_ lane: inout Lane) async throws -> Bool {
    guard !lane.hasCheckedAccount else { return true }
    lane.hasCheckedAccount = true
    guard try await isAnotherAccount() else { return true }
    try await halt(
      &lane, .accountChanged,
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

  /// Says what would be sent, and keeps the order from being said again. On a copy of the ledger.
  private func rehearse() async throws {
    let now = surroundings.clock.now
    guard let queued = try await surroundings.ledger.transaction({ try $0.nextToSend(at: now) }) else { return }
    let preparing = SendPreparing(surroundings: surroundings, rules: rules, giveUpAfter: settings.giveUpAfter)
    let prepared = try await preparing.prepare(queued)
    // Looked at once like any other; the API would be asked about what may have been done, and nothing be sent.
    if case .settleUnknown(let order, _) = prepared { return try await putAway(order) }
    guard case .send(let order, let report) = prepared else { return surroundings.matchingBell.ring() }
    surroundings.log.event(
      .wouldReport, .notice,
      "would report order \(order.orderID) for referral \(report.referralID): \(String(decoding: report.body, as: UTF8.self))",
      ["order": order.orderID, "referral": report.referralID.text])
    try await putAway(order)
  }

  private func putAway(_ order: LedgerOrder) async throws {
    let until = surroundings.clock.now + .seconds(365 * 86_400)
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: "dry_run", detail: "not sent: dry run")
    }
  }
}
