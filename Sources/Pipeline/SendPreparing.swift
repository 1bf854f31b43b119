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

  /// - Throws: `OrderSourceFailure` when the shop can't be asked, `LaneRefusal`, `LedgerFailure`, or
  ///   `CancellationError`.
  func prepare(_ queued: LedgerOrder) async throws -> SendPreparation {
    if let frozen = queued.frozen, surroundings.clock.now - frozen.frozenAt > giveUpAfter {
      return try await giveUp(queued, frozen)
    }
    guard let order = try await reread(queued) else { return .dropped }
    if let frozen = order.frozen {
      // Sent before: the same bytes again, as long as the order is still worth a report.
      let stillQualifies = order.order?.qualifies == true
      return stillQualifies ? .send(order, frozen.report) : .settleUnknown(order, frozen)
    }
    switch try await seeYoungReferrals(before: order) {
    case .same: break
    case .unread: return .postponed
    // One that was made seconds before the order may be the order's now.
    case .changed: try await decideAgain(order.entry)
    }
    guard let order = try await current(order.entry) else { return .dropped }
    guard try await refreshReferral(of: order) else { return .postponed }
    guard let ready = try await current(order.entry), let report = ConversionReport(of: ready) else { return .dropped }
    return .send(ready, report)
  }

  /// The order as the shop shows it now, decided anew; nil where it is no longer to be sent.
  private func reread(_ queued: LedgerOrder) async throws -> LedgerOrder? {
    let key = queued.row.key
    let row = try await surroundings.orders.orders(withKeys: [key])[key]
    let (rules, now) = (rules, surroundings.clock.now)
    let order = try await surroundings.ledger.transaction { transaction -> LedgerOrder? in
      // Where intake stored another version meanwhile, this one may be older: it is read again.
      guard let known = try transaction.entry(queued.entry), known.outcome == .queued, known.row == queued.row else {
        return nil
      }
      let change = try transaction.record(row ?? known.row.withdrawn, seenAt: now, isBackfill: known.isBackfill)
      guard let shown = try transaction.entry(known.entry) else { return nil }
      // What may have been done stays as it is. An order that was never sent stands as matching left it.
      let isOpen = shown.frozen.map { !$0.hasUnknownOutcome } ?? (change != .unchanged)
      guard isOpen else { return shown }
      var decision = try Matching.decide(shown, rules: rules, transaction: transaction, now: now)
      if row == nil, decision.outcome == .cancelled {
        (decision.reason, decision.detail) = (DecisionReason.gone, "the row is gone")
      }
      // Nothing that was sent can have had an effect, so a change, whoever saw it first, still counts.
      if ConversionReport(of: shown, decision) != shown.frozen?.report { try transaction.unfreeze(shown.entry) }
      try transaction.decide(shown.entry, decision, at: now)
      return try transaction.entry(shown.entry)
    }
    guard let order else { return nil }
    guard order.outcome != .queued else { return order }
    surroundings.log.event(
      order.outcome == .cancelled ? .cancelled : .review, .notice,
      "order \(order.orderID) changed before it was sent and is \(order.outcome.rawValue)",
      ["order": order.orderID, "referral": queued.referralID?.text, "reason": order.reason])
    return nil
  }

  /// What came of the look at the youngest referrals.
  private enum YoungReferrals {
    /// Nothing that wasn't known.
    case same
    /// Something changed.
    case changed
    /// They couldn't be read.
    case unread
  }

  /// A referral made seconds before its order may not be mirrored yet, and an older one be chosen in its stead: before
  /// anything is frozen, the youngest were walked by a walk that began after the order was seen.
  private func seeYoungReferrals(before order: LedgerOrder) async throws -> YoungReferrals {
    do {
      return try await YoungestWalk(surroundings: surroundings).ensure(since: order.firstSeenAt) ? .changed : .same
    } catch let failure as ReadFailure {
      if let reason = failure.haltReason { throw LaneRefusal(reason: reason, detail: "\(failure)") }
      try await postpone(order, "asked for the youngest referrals: \(failure)")
    } catch is CancellationError where !Task.isCancelled {
      try await postpone(order, "asked for the youngest referrals: cancelled")
    }
    return .unread
  }

  private func decideAgain(_ entry: EntryID) async throws {
    let (rules, now) = (rules, surroundings.clock.now)
    try await surroundings.ledger.transaction { transaction in
      guard let order = try transaction.entry(entry), order.outcome == .queued else { return }
      let decision = try Matching.decide(order, rules: rules, transaction: transaction, now: now)
      try transaction.decide(entry, decision, at: now)
    }
  }

  /// Asks for the referral where the mirror's copy is old; false where it can't be asked.
  private func refreshReferral(of order: LedgerOrder) async throws -> Bool {
    guard let id = order.referralID else { return true }
    let known = try await surroundings.ledger.transaction { try $0.referral(id) }
    if let known, surroundings.clock.now - known.seenAt <= Self.referralAgeMax { return true }
    switch await surroundings.partners.referral(id) {
    case .success(let referral, _):
      let now = surroundings.clock.now
      let changed = try await surroundings.ledger.transaction { try $0.record(referral, seenAt: now) }
      if changed { try await decideAgain(order.entry) }
      return true
    // The send will meet the same 404, and its verdict has the rules for it.
    case .failure(_, let head) where head.status == 404: return true
    case .failure(let failure, _): try await postpone(order, "asked for its referral: \(failure.message)")
    case .transport(let failure): try await postpone(order, "asked for its referral: \(failure.message)")
    }
    return false
  }

  private func postpone(_ order: LedgerOrder, _ detail: String) async throws {
    let until = surroundings.clock.now + Self.rereadWait
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: "referral_unread", detail: detail)
    }
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
  private func current(_ entry: EntryID) async throws -> LedgerOrder? {
    let order = try await surroundings.ledger.transaction { try $0.entry(entry) }
    return order?.outcome == .queued ? order : nil
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
