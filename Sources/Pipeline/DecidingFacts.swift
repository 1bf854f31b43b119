import Conversions

/// What decisions rest on beside the order and its referrals; the same for all decisions of one transaction.
struct DecidingFacts: Sendable {
  let mirrorCompleteSince: Timestamp?
  let horizon: ReferralHorizon
  let isCatchingUp: Bool
  /// Whether the host's clock is confirmed.
  let isTimeConfirmed: Bool
  /// By how much the shop's and the API's clocks were found to differ, beyond what the measurement can tell.
  let clockSkew: Duration

  /// The API tells its time in whole seconds.
  private static let resolution = Duration.seconds(1)

  /// Facts as the ledger knows them, with what it wasn't told yet of the mirror's walks.
  init(
    _ transaction: any LedgerTransaction, horizon: ReferralHorizon? = nil, isTimeConfirmed: Bool
  ) throws {
    self.isTimeConfirmed = isTimeConfirmed
    let mirror = try transaction.mirrorProgress()
    self.horizon = horizon ?? mirror.horizon
    // Nothing is concluded from the silence of a list that can't be trusted, nor from what it said before.
    mirrorCompleteSince = mirror.distrust == nil ? mirror.completeSweepBeganAt : nil
    let intake = try transaction.intakeProgress()
    isCatchingUp = intake.caughtUpAt == nil
    let difference = (mirror.clockAhead ?? .zero) - (intake.clockAhead ?? .zero)
    let isMeasured = mirror.clockAhead != nil && intake.clockAhead != nil
    clockSkew = isMeasured ? max(.zero, max(difference, .zero - difference) - Self.resolution) : .zero
  }

  func context(now: Timestamp, firstSeenAt: Timestamp, hadQualified: Bool, idIsRepeated: Bool) -> DecisionContext {
    DecisionContext(
      now: now, firstSeenAt: firstSeenAt, hadQualified: hadQualified, idIsRepeated: idIsRepeated,
      referralsKnownTo: horizon.all(now: now), mirrorCompleteSince: mirrorCompleteSince, isCatchingUp: isCatchingUp,
      isTimeConfirmed: isTimeConfirmed)
  }

  /// Decides an order by every referral that shares a key with it, and whatever order but `entry` holds the chosen one.
  ///
  /// `holding` is the referral that the order itself holds for certain: no other order then does, and none is looked for.
  func decide(
    _ order: Order, rules: AttributionRules, context: DecisionContext, except entry: EntryID?,
    holding: ReferralID? = nil, _ transaction: any LedgerTransaction
  ) throws -> Decision {
    var rules = rules
    rules.clockSkew = max(rules.clockSkew, clockSkew)
    let referrals = try transaction.referrals(sharing: order.email, order.externalSourceID)
    return try rules.decide(order, among: referrals, context: context) { referral in
      referral == holding ? nil : try transaction.holder(of: referral, except: entry)
    }
  }
}
