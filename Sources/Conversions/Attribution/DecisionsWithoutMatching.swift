/// Decisions that follow from an order's sends, or from its row, and not from its candidates.
extension Decision {
  /// Leaves an order to a person that was tried for as long as `reporting.give_up_after`. It keeps its referral: a send
  /// may have been done.
  public static func gaveUp(on frozen: FrozenReport, afterDays days: Int64, last: String?) -> Decision {
    leftToPerson(.gaveUp, "tried for \(days) days, \(frozen.attempts) times; last: \(last ?? "-")", frozen)
  }

  /// Leaves an order to a person that can't be judged after a send that may have been done: neither its worth, nor
  /// that it is worth nothing, can be told any more.
  public static func leftToPerson(_ reason: ReviewReason, _ detail: String, _ frozen: FrozenReport) -> Decision {
    var decision = Decision(review: reason, detail, referralID: frozen.report.referralID, claims: true)
    decision.value = frozen.report.value
    return decision
  }

  /// Ends an order that stopped qualifying after a send that may have been done, once the API has shown what became of
  /// it: reported, superseded or cancelled.
  public static func stoppedQualifying(_ order: LedgerOrder, _ outcome: Outcome, _ detail: String) -> Decision {
    let reason = outcome == .superseded ? DecisionReason.alreadyConverted : DecisionReason.noLongerQualifies
    var decision = Decision(outcome, reason: reason, detail: detail)
    (decision.referralID, decision.claims, decision.value) = (order.referralID, outcome == .reported, order.value)
    return decision
  }

  /// Holds an order whose row is missing, together with many or hidden, with the referral that it has; leaves it to a
  /// person once it was missing for seven days.
  public static func rowMissing(
    _ order: LedgerOrder, mayBeHidden: Bool, isGivenUp: Bool, at now: Timestamp
  ) -> Decision {
    let why = mayBeHidden ? "row-level security may hide it" : "many others are"
    var decision =
      isGivenUp
      ? Decision(review: .rowMissing, "its row has been missing from the shop's table for seven days")
      : Decision(
        .held, reason: DecisionReason.rowMissing, detail: "its row is missing from the shop's table, and \(why)",
        lookAgainAt: now + VanishedRows.lookAgainAfter)
    (decision.referralID, decision.claims, decision.value) = (order.referralID, order.claims, order.value)
    return decision
  }
}
