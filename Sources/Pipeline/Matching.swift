public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that decides orders: new and changed ones, those that a referral woke, those whose time has come.
///
/// Orders probe the mirror when they are decided; referrals wake the orders that share a key with them when they are
/// recorded. What is to be decided stands in the ledger, so a crash loses no decision.
public struct Matching: Service {
  /// Orders decided in one transaction: enough to share the cost of its sync, few enough not to keep others waiting.
  static let batchMax = 200

  private let surroundings: Surroundings
  private let rules: AttributionRules

  /// A matching by rules.
  public init(_ surroundings: Surroundings, rules: AttributionRules) {
    self.surroundings = surroundings
    self.rules = rules
  }

  /// Decides until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    var outage = Outage(of: "deciding orders", failed: .ledgerFailed, recovered: .ledgerRecovered)
    while !Task.isCancelled {
      do {
        let decided = try await decideBatch()
        outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
        surroundings.vitals.well(.ledger, at: surroundings.clock.now)
        if decided == 0 { try await waitForWork() }
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        outage.fail("\(error)", level: .error, at: surroundings.clock.uptime, log: surroundings.log)
        surroundings.vitals.ill(.ledger, "\(error)", at: surroundings.clock.now)
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: wait)
      }
    }
  }

  private func waitForWork() async throws {
    let now = surroundings.clock.now
    let next = try await surroundings.ledger.transaction { transaction in
      [try transaction.nextDecisionAt(), try transaction.nextQuietEnd(after: now)].compactMap(\.self).min()
    }
    let deadline = next.map { surroundings.clock.uptime + max($0 - now, .seconds(1)) }
    try await surroundings.matchingBell.wait(until: deadline, clock: surroundings.clock)
  }

  /// Decides one batch; returns how many orders it held.
  func decideBatch() async throws -> Int {
    let (rules, now, isConfirmed) = (rules, surroundings.clock.now, surroundings.clock.isConfirmed)
    let horizon = await surroundings.referralWalks.horizon
    let (decided, caughtUp, wantsSweep) = try await surroundings.ledger.transaction { transaction in
      let batch = try transaction.undecided(at: now, limit: Self.batchMax)
      let facts = try DecidingFacts(transaction, horizon: horizon, isTimeConfirmed: isConfirmed)
      let decided = try batch.map { order in
        let decision = try Self.decide(order, rules: rules, facts: facts, transaction: transaction, now: now)
        _ = try transaction.settle(order, decision, rules: rules, now: now)
        return Decided(orderID: order.orderID, before: order, decision: decision)
      }
      let endsQuiet = try batch.isEmpty && transaction.needsSweepAfterQuiet(now: now)
      let wantsSweep = endsQuiet || decided.contains(where: \.waitsForSweep)
      if wantsSweep { try transaction.wantFullSweep(at: now) }
      return (decided, try batch.isEmpty && Self.settleCatchUp(transaction, now: now), wantsSweep)
    }
    if wantsSweep { surroundings.mirrorBell.ring() }
    for change in decided { change.log(to: surroundings.log) }
    if caughtUp {
      surroundings.log.event(.caughtUp, .notice, "caught up: every order was read once and every referral is known")
    }
    if caughtUp || decided.contains(where: { $0.decision.outcome == .queued }) {
      surroundings.deliveryBell.ring()
    }
    return decided.count
  }

  /// Decides one order by what the ledger knows; `holding` is the referral that it holds for certain.
  static func decide(
    _ order: LedgerOrder, rules: AttributionRules, facts: DecidingFacts, holding: ReferralID? = nil,
    transaction: any LedgerTransaction, now: Timestamp
  ) throws -> Decision {
    switch order.row {
    case .unreadable(let row):
      return Decision(review: row.reason, row.detail)
    case .readable(let readable):
      let context = facts.context(
        now: now, firstSeenAt: order.firstSeenAt, hadQualified: order.hadQualified, idIsRepeated: order.idIsRepeated)
      return try facts.decide(
        readable, rules: rules, context: context, except: order.entry, holding: holding, transaction)
    }
  }

  /// The catch-up is over when a walk over all orders has ended, the referrals are current, and every order they
  /// brought is decided. Only then may anything be frozen.
  private static func settleCatchUp(_ transaction: any LedgerTransaction, now: Timestamp) throws -> Bool {
    var progress = try transaction.intakeProgress()
    let mirror = try transaction.mirrorProgress()
    guard progress.caughtUpAt == nil, progress.lastWalkAt != nil, let swept = mirror.completeSweepBeganAt,
      mirror.currentSince != nil, progress.quietUntil.map({ swept >= $0 }) ?? true
    else { return false }
    progress.caughtUpAt = now
    progress.firstCaughtUpAt = progress.firstCaughtUpAt ?? now
    try transaction.setIntakeProgress(progress)
    return true
  }
}
