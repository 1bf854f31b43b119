public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that decides orders: new and changed ones, those that a referral woke, those whose time has come.
///
/// Orders probe the mirror when they are decided; referrals wake the orders that share a key with them when they are
/// recorded. The list of those to be decided stands in the ledger, so a crash loses no decision.
public struct Matching: Service {
  /// Orders decided in one transaction: enough to share the cost of its sync, few enough not to keep others waiting.
  static let batchMax = 200

  private let context: PipelineContext
  private let rules: AttributionRules

  /// A matching by rules.
  public init(_ context: PipelineContext, rules: AttributionRules) {
    self.context = context
    self.rules = rules
  }

  /// Decides until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  func loop() async {
    // Works with the ledger alone.
    var retrying = RetryingLoop(context, .decidingOrders)
    await retrying.run { retrying in
      let decided = try await decideBatch()
      retrying.succeed(.ledger)
      if decided == 0 { try await waitForWork() }
    } failure: {
      RetryingLoop.Failure(message: "\($0)", component: .ledger)
    }
  }

  private func waitForWork() async throws {
    let now = context.clock.now
    let next = try await context.ledger.transaction { transaction in
      [try transaction.nextDecisionAt(), try QuietAfterRebuild(transaction).nextEnd(after: now)].compactMap(\.self)
        .min()
    }
    let deadline = next.map { context.clock.uptime + max($0 - now, .seconds(1)) }
    try await context.matchingWake.wait(until: deadline, clock: context.clock)
  }

  /// Decides one batch; returns how many orders it held.
  func decideBatch() async throws -> Int {
    let (rules, now, isConfirmed) = (rules, context.clock.now, context.clock.isConfirmed)
    let batch = try await context.ledger.transaction { transaction -> Batch in
      let change = try transaction.rulesInForce().change
      // Decides by the change first: orders that it makes sendable are held back only while it is known.
      let isOfChange = change?.after != nil
      let orders =
        try isOfChange
        ? transaction.neverSent(after: change?.after ?? EntryID(0), limit: Self.batchMax)
        : transaction.undecided(at: now, limit: Self.batchMax)
      let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      var batch = Batch(isOfChange: isOfChange)
      for order in orders {
        let decision = try decider.decide(order)
        _ = try decider.store(decision, of: order)
        let decided = Decided(before: order, decision: decision, amounts: rules.amounts)
        batch.decided.append(decided)
        if decided.waitsForWalk {
          batch.waitsForWalkSince = max(order.firstSeenAt, batch.waitsForWalkSince ?? .distantPast)
        }
      }
      if isOfChange { try RulesUpdate.advance(over: orders, batch.decided, transaction) }
      batch.changeEnded = try orders.isEmpty ? RulesUpdate.end(transaction) : nil
      if try orders.isEmpty && QuietAfterRebuild(transaction).needsSweep(now: now) || batch.waitsForSweep {
        try transaction.changeMirrorProgress { $0.wantFullSweep(at: now) }
        batch.wantsMirror = true
      }
      if let seenAt = batch.waitsForWalkSince {
        try transaction.changeMirrorProgress { $0.wantOpenWalk(at: seenAt) }
        batch.wantsMirror = true
      }
      if orders.isEmpty, !isOfChange { batch.hasCaughtUp = try Self.endCatchUp(transaction, now: now) }
      return batch
    }
    log(batch)
    return batch.isOfChange || batch.changeEnded != nil ? max(1, batch.decided.count) : batch.decided.count
  }

  /// The result of a batch.
  private struct Batch: Sendable {
    /// True if it was decided because the rules changed, and not because of the orders.
    let isOfChange: Bool
    var decided: [Decided] = []
    var wantsMirror = false
    var hasCaughtUp = false
    /// The time at which the newest of the orders was seen that wait for a walk of the open referrals.
    var waitsForWalkSince: Timestamp?
    /// The change of the rules that it completed, and how many orders that has made sendable.
    var changeEnded: RulesUpdateEnd?

    var waitsForSweep: Bool { decided.contains(where: \.waitsForSweep) }

    init(isOfChange: Bool) { self.isOfChange = isOfChange }
  }

  private func log(_ batch: Batch) {
    if batch.wantsMirror { context.mirrorWake.notify() }
    context.logChanges(batch.decided)
    if let end = batch.changeEnded { end.log(to: context.log) }
    if batch.hasCaughtUp {
      context.log.event(.caughtUp, .notice, "caught up: every order was read once and every referral is known")
    }
    if batch.hasCaughtUp || batch.changeEnded != nil
      || batch.decided.contains(where: { $0.decision.outcome == .queued })
    {
      context.deliveryWake.notify()
    }
  }

  /// Ends the catch-up when a walk over all orders has ended, the referrals are current, and every order they brought
  /// is decided. Only then may anything be frozen.
  private static func endCatchUp(_ transaction: any LedgerTransaction, now: Timestamp) throws -> Bool {
    var progress = try transaction.intakeProgress()
    let mirror = try transaction.mirrorProgress()
    guard progress.caughtUpAt == nil, progress.lastWalkAt != nil, let swept = mirror.completeSweepBeganAt,
      mirror.currentSince != nil, try transaction.rulesInForce().change == nil,
      progress.quietUntil.map({ swept >= $0 }) ?? true
    else { return false }
    progress.caughtUpAt = now
    progress.firstCaughtUpAt = progress.firstCaughtUpAt ?? now
    try transaction.setIntakeProgress(progress)
    return true
  }
}
