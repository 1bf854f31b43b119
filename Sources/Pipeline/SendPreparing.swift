import Conversions
import Logging

/// Looks at a queued order again, by its key, and at its referral, before anything is sent.
struct SendPreparing: Sendable {
  /// How old the mirror's copy of a referral may be at the first send.
  static let referralAgeMax = Duration.seconds(600)
  /// How long an order waits that couldn't be read again.
  static let rereadWait = Duration.seconds(15)

  let surroundings: Surroundings
  let rules: AttributionRules
  let giveUpAfter: Duration

  /// - Throws: `OrderSourceFailure` when the shop can't be asked, `LedgerFailure`, or `CancellationError`.
  func prepare(_ queued: LedgerOrder) async throws -> SendPreparation {
    if let frozen = queued.frozen, surroundings.clock.now - frozen.frozenAt > giveUpAfter {
      return try await giveUp(queued, frozen)
    }
    guard let read = try await reread(queued) else { return .dropped }
    guard let order = try await thawed(read) else { return .dropped }
    if let frozen = order.frozen {
      // Sent before: the same bytes again, as long as the order is still worth a report.
      let stillQualifies = order.order?.qualifies == true
      return stillQualifies ? .send(order, frozen.report) : .settleUnknown(order, frozen)
    }
    guard let fresh = try await refreshReferral(of: order) else { return .postponed }
    guard let ready = try await current(fresh.entry), let report = ConversionReport(of: ready) else { return .dropped }
    return .send(ready, report)
  }

  /// A report that was frozen, and whose sends certainly had no effect, is composed anew from what is known now: the
  /// order, or its referral, may have changed while it waited to be sent again.
  private func thawed(_ order: LedgerOrder) async throws -> LedgerOrder? {
    guard let frozen = order.frozen, !frozen.hasUnknownOutcome else { return order }
    let (rules, now) = (rules, surroundings.clock.now)
    let isSame = try await surroundings.ledger.transaction { transaction in
      let decision = try Matching.decide(order, rules: rules, transaction: transaction, now: now)
      var decided = order
      (decided.referralID, decided.value) = (decision.referralID, decision.value)
      if decision.outcome == .queued, ConversionReport(of: decided) == frozen.report { return true }
      try transaction.unfreeze(order.entry)
      try transaction.decide(order.entry, decision, at: now)
      return false
    }
    return isSame ? order : nil
  }

  /// The order as the shop shows it now, decided anew if it changed; nil where it is no longer to be sent.
  private func reread(_ queued: LedgerOrder) async throws -> LedgerOrder? {
    let key = queued.row.key
    let row = try await surroundings.orders.orders(withKeys: [key])[key]
    if row == queued.row { return try await current(queued.entry) }
    let (rules, now) = (rules, surroundings.clock.now)
    try await surroundings.ledger.transaction { transaction in
      guard let order = try transaction.entry(queued.entry), order.outcome == .queued else { return }
      // Nothing that was sent can have had an effect, so what is to be sent is open again.
      if order.frozen?.hasUnknownOutcome == false { try transaction.unfreeze(order.entry) }
      let vanished = row ?? order.row.withdrawn
      _ = try transaction.record(vanished, seenAt: now, isBackfill: order.isBackfill)
      guard order.frozen?.hasUnknownOutcome != true, let changed = try transaction.entry(order.entry) else { return }
      var decision = try Matching.decide(changed, rules: rules, transaction: transaction, now: now)
      if row == nil { (decision.reason, decision.detail) = (DecisionReason.gone, "the row is gone") }
      try transaction.decide(order.entry, decision, at: now)
    }
    if let log = try await current(queued.entry, whatever: true), log.outcome != .queued {
      surroundings.log.event(
        log.outcome == .cancelled ? .cancelled : .review, .notice,
        "order \(log.orderID) changed before it was sent and is \(log.outcome.rawValue)",
        ["order": log.orderID, "referral": queued.referralID?.text, "reason": log.reason])
    }
    return try await current(queued.entry)
  }

  /// Asks for the referral where the mirror's copy is old; nil where it can't be asked.
  private func refreshReferral(of order: LedgerOrder) async throws -> LedgerOrder? {
    guard let id = order.referralID else { return order }
    let known = try await surroundings.ledger.transaction { try $0.referral(id) }
    let now = surroundings.clock.now
    guard let known, now - known.seenAt <= Self.referralAgeMax else {
      switch await surroundings.partners.referral(id) {
      case .success(let referral, _):
        let (rules, entry) = (rules, order.entry)
        try await surroundings.ledger.transaction { transaction in
          guard try transaction.record(referral, seenAt: now) else { return }
          guard let order = try transaction.entry(entry), order.outcome == .queued else { return }
          let decision = try Matching.decide(order, rules: rules, transaction: transaction, now: now)
          try transaction.decide(entry, decision, at: now)
        }
        return order
      case .failure(_, let head) where head.status == 404:
        // The send will meet the same 404, and its verdict has the rules for it.
        return order
      case .failure(let failure, _):
        return try await postpone(order, "asked for its referral: \(failure.message)")
      case .transport(let failure):
        return try await postpone(order, "asked for its referral: \(failure.message)")
      }
    }
    return order
  }

  private func postpone(_ order: LedgerOrder, _ detail: String) async throws -> LedgerOrder? {
    let until = surroundings.clock.now + Self.rereadWait
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: "referral_unread", detail: detail)
    }
    return nil
  }

  private func giveUp(_ order: LedgerOrder, _ frozen: FrozenReport) async throws -> SendPreparation {
    let now = surroundings.clock.now
    let days = giveUpAfter.components.seconds / 86_400
    try await surroundings.ledger.transaction { transaction in
      var decision = Decision(
        review: .gaveUp, "tried for \(days) days, \(frozen.attempts) times; last: \(order.detail ?? "-")",
        referralID: frozen.report.referralID, claims: true)
      decision.value = frozen.report.value
      try transaction.decide(order.entry, decision, at: now)
    }
    surroundings.log.event(
      .review, .error, "order \(order.orderID) was tried for \(days) days and needs a person",
      ["order": order.orderID, "referral": frozen.report.referralID.text, "reason": ReviewReason.gaveUp.rawValue])
    return .dropped
  }

  /// The entry as it stands now, if it is still to be sent.
  private func current(_ entry: EntryID, whatever: Bool = false) async throws -> LedgerOrder? {
    let order = try await surroundings.ledger.transaction { try $0.entry(entry) }
    return whatever || order?.outcome == .queued ? order : nil
  }
}

extension OrderRow {
  /// The row as one that is no longer worth a report: what a deleted order comes to.
  fileprivate var withdrawn: OrderRow {
    guard case .readable(var order) = self else { return self }
    order.qualifies = false
    return .readable(order)
  }
}
