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

  private func loop() async {
    var outage = Outage(of: "delivery", failed: .ledgerFailed, recovered: .ledgerRecovered)
    var hasRecovered = false
    while !Task.isCancelled {
      do {
        if !hasRecovered { try await recover() }
        hasRecovered = true
        if try await probeIfHalted() {
          try await step()
        }
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
      } catch is CancellationError {
        return
      } catch {
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

  /// Whatever was being sent when the daemon last ended may have been done.
  private func recover() async throws {
    let now = surroundings.clock.now
    let count = try await surroundings.ledger.transaction { try $0.recoverInterruptedSends(at: now) }
    guard count > 0 else { return }
    surroundings.log.event(
      .deferred, .notice,
      "\(count) sends were interrupted by the last end of the daemon; the same bytes are sent again",
      ["reason": "interrupted"])
  }

  /// Sends the next order, or sleeps until there may be one.
  private func step() async throws {
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
    var isUsed = false
    do {
      isUsed = try await sendOne(permit)
    } catch {
      await surroundings.partners.cancel(permit)
      throw error
    }
    if !isUsed { await surroundings.partners.cancel(permit) }
  }

  /// Chooses after the wait for the permit, as the queue may have changed during it; tells whether the permit was used.
  private func sendOne(_ permit: SendPermit) async throws -> Bool {
    let now = surroundings.clock.now
    guard let queued = try await surroundings.ledger.transaction({ try $0.nextToSend(at: now) }) else { return false }
    let preparing = SendPreparing(surroundings: surroundings, rules: rules, giveUpAfter: settings.giveUpAfter)
    switch try await preparing.prepare(queued) {
    case .dropped, .postponed: return false
    case .settleUnknown(let order, let frozen):
      try await UnknownSettling(surroundings: surroundings).settle(order, frozen)
      return false
    case .send(let order, let report):
      try Task.checkCancellation()
      try await shielded { try await Sending(surroundings: surroundings).send(order, report, permit: permit) }
      return true
    }
  }

  /// Runs a send to its end although the loop is told to stop, for as long as the grace lasts.
  private func shielded(_ send: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await send() }
    let (clock, grace) = (surroundings.clock, settings.stopGrace)
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      Task {
        try? await clock.sleep(for: grace)
        task.cancel()
      }
    }
  }

  /// While the lane is halted, probes with a read every five minutes, and at each start; true once it is free.
  private func probeIfHalted() async throws -> Bool {
    guard let halt = try await surroundings.ledger.transaction({ try $0.laneHalt() }) else { return true }
    var query = ReferralQuery()
    query.pageSize = 1
    if case .success = await surroundings.partners.list(query) {
      try await surroundings.ledger.transaction { try $0.setLaneHalt(nil) }
      await surroundings.vitals.well(.delivery, at: surroundings.clock.now)
      surroundings.log.event(.apiRecovered, .notice, "the API accepts us again; sending goes on")
      return true
    }
    await surroundings.vitals.ill(.delivery, "\(halt.reason.rawValue): \(halt.detail)", at: halt.since)
    try await surroundings.clock.sleep(for: Self.probeInterval)
    return false
  }

  /// Says what would be sent, and keeps the order from being said again. On a copy of the ledger.
  private func rehearse() async throws {
    let now = surroundings.clock.now
    guard let queued = try await surroundings.ledger.transaction({ try $0.nextToSend(at: now) }) else { return }
    let preparing = SendPreparing(surroundings: surroundings, rules: rules, giveUpAfter: settings.giveUpAfter)
    guard case .send(let order, let report) = try await preparing.prepare(queued) else { return }
    surroundings.log.event(
      .wouldReport, .notice,
      "would report order \(order.orderID) for referral \(report.referralID): \(String(decoding: report.body, as: UTF8.self))",
      ["order": order.orderID, "referral": report.referralID.text])
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: now + .seconds(365 * 86_400), reason: "dry_run", detail: "not sent: dry run")
    }
  }
}
