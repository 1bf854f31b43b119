import Conversions
import Logging

/// Resolves an order that stopped qualifying, or disappeared, after a send that may have been done: nothing more is
/// sent for it, and the API is asked whether it was done.
struct UnknownOutcome: Sendable {
  let context: PipelineContext

  func resolve(_ order: LedgerOrder, _ frozen: FrozenReport) async throws {
    let now = context.clock.now
    let answer = await context.partners.referral(frozen.report.referralID)
    // The API refuses every request now: all sending halts, and this order waits with the others.
    if let reason = answer.haltReason(in: .verification) {
      throw SendingRefusal(reason: reason, detail: "asked whether order \(order.orderID) was done: refused")
    }
    if answer.saysNotFound {
      return try await review(
        order, frozen, .referralMissing,
        "stopped qualifying after a send that may have been done, and the API does not "
          + "know its referral")
    }
    guard case .success(let referral, _) = answer else {
      return try await wait(order, until: now + .seconds(60), "asked whether it was done, without an answer")
    }
    let skew = try await context.ledger.transaction { transaction in
      _ = try transaction.record(referral, seenAt: now)
      return try transaction.mirrorProgress().sendSkew
    }
    if referral.status == .converted {
      let isOurs = SendVerdict.isOurs(
        referral, frozen.report, firstSentAt: frozen.firstSentAt, now: now,
        skew: skew + context.clock.uncertainty(since: frozen.firstSentAt ?? frozen.frozenAt))
      return isOurs
        ? try await end(
          order, .reported, "was done, and has stopped qualifying since: correct it in the partner dashboard")
        : try await end(
          order, .superseded, "stopped qualifying; its referral was converted by another order or another program")
    }
    guard context.clock.isConfirmed else {
      return try await wait(
        order, until: now + .seconds(60),
        "stopped qualifying after a send that may have been done; the host's clock is unconfirmed")
    }
    let clearAt = clearAt(frozen, now: now)
    guard now >= clearAt else {
      return try await wait(order, until: clearAt, "stopped qualifying after a send that may have been done")
    }
    guard order.order != nil else {
      return try await review(
        order, frozen, .changedWhileUnknown, "can't be read any more, after a send that may have been done")
    }
    try await end(order, .cancelled, "stopped qualifying, and its sends were not done")
  }

  /// The time from which a referral that is still open tells that no send was done. A last send that lies ahead, or
  /// before the clock's last jump, was no later than that jump.
  private func clearAt(_ frozen: FrozenReport, now: Timestamp) -> Timestamp {
    let (sentAt, jumpedAt) = (frozen.lastSentAt ?? frozen.frozenAt, context.clock.jumpedAt)
    guard let jumpedAt, jumpedAt <= now else { return sentAt + SendResult.doubtLasts }
    return (sentAt > now ? jumpedAt : max(sentAt, jumpedAt)) + SendResult.doubtLasts
  }

  /// Leaves the order to a person: neither its worth, nor that it is worth nothing, can be told any more.
  private func review(
    _ order: LedgerOrder, _ frozen: FrozenReport, _ reason: ReviewReason, _ detail: String
  ) async throws {
    let now = context.clock.now
    let isDecided = try await context.ledger.transaction { transaction -> Bool in
      guard try order.isUnchanged(in: transaction) else { return false }
      try transaction.decide(order.entry, .leftToPerson(reason, detail, frozen), at: now)
      return true
    }
    guard isDecided else { return }
    context.log.event(
      .review, .error, "order \(order.orderID) \(detail)",
      order.fields(reason: reason.rawValue))
  }

  private func wait(_ order: LedgerOrder, until time: Timestamp, _ detail: String) async throws {
    let reason = ReviewReason.changedWhileUnknown.rawValue
    try await context.ledger.transaction {
      try $0.postpone(order.entry, until: time, reason: reason, detail: detail)
    }
    context.logPutOff(order, reason: reason, detail, until: time)
  }

  private func end(_ order: LedgerOrder, _ outcome: Outcome, _ detail: String) async throws {
    let now = context.clock.now
    let isDecided = try await context.ledger.transaction { transaction -> Bool in
      guard try order.isUnchanged(in: transaction) else { return false }
      try transaction.decide(order.entry, .stoppedQualifying(order, outcome, detail), at: now)
      // Should it qualify again, it is decided anew like any order that was never sent.
      if outcome == .cancelled { try transaction.unfreezeUndone(order.entry) }
      return true
    }
    guard isDecided else { return }
    context.log.event(
      outcome == .reported ? .reported : outcome == .superseded ? .superseded : .cancelled, .notice,
      "order \(order.orderID) \(detail)",
      order.fields(
        reason: outcome == .superseded ? DecisionReason.alreadyConverted : DecisionReason.noLongerQualifies))
    context.matchingWake.notify()
  }
}

extension LedgerOrder {
  /// Returns true if it is still to be sent and as it was: while the API was asked another task may have decided it, and
  /// the shop have shown that it qualifies again. Then it is its turn again at once.
  fileprivate func isUnchanged(in ledger: any LedgerTransaction) throws -> Bool {
    guard let known = try ledger.entry(entry) else { return false }
    return known.outcome == .queued && known.row == row
  }
}
