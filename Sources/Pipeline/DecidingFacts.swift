import Conversions

/// What decisions rest on beside the order and its referrals; the same for all decisions of one transaction.
struct DecidingFacts: Sendable {
  let mirrorCompleteSince: Timestamp?
  let isCatchingUp: Bool

  init(_ transaction: any LedgerTransaction) throws {
    mirrorCompleteSince = try transaction.mirrorProgress().completeSweepBeganAt
    isCatchingUp = try transaction.intakeProgress().caughtUpAt == nil
  }

  func context(now: Timestamp, firstSeenAt: Timestamp, hadQualified: Bool, idIsRepeated: Bool) -> DecisionContext {
    DecisionContext(
      now: now, firstSeenAt: firstSeenAt, hadQualified: hadQualified, idIsRepeated: idIsRepeated,
      mirrorCompleteSince: mirrorCompleteSince, isCatchingUp: isCatchingUp)
  }

  /// Decides an order by every referral that shares a key with it, and whatever order but `entry` holds the chosen one.
  func decide(
    _ order: Order, rules: AttributionRules, context: DecisionContext, except entry: EntryID?,
    _ transaction: any LedgerTransaction
  ) throws -> Decision {
    let referrals = try transaction.referrals(sharing: order.email, order.externalSourceID)
    return try rules.decide(order, among: referrals, context: context) { referral in
      try transaction.holder(of: referral, except: entry)
    }
  }
}
