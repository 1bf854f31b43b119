import Conversions

/// Decides orders within one ledger transaction: the one way for intake, for matching and before a send, with one set
/// of facts. Three ways with three sets of facts once came to three answers for the same order.
struct OrderDecider {
  let rules: AttributionRules
  let now: Timestamp
  private let transaction: any LedgerTransaction
  private let context: DecisionContext

  /// True if the host's clock is confirmed.
  var isTimeConfirmed: Bool { context.isTimeConfirmed }

  /// The change of the rules that is being carried out; nil for none.
  private let change: RulesChange?
  private let hasActs: Bool

  /// The resolution of the API's time: whole seconds.
  private static let resolution = Duration.seconds(1)

  /// A decider of one transaction.
  ///
  /// - Throws: `LedgerFailure`.
  init(
    _ transaction: any LedgerTransaction, rules: AttributionRules, now: Timestamp, isTimeConfirmed: Bool
  ) throws {
    let (mirror, intake) = (try transaction.mirrorProgress(), try transaction.intakeProgress())
    // Concludes nothing from what a list leaves out that can't be trusted, nor from what it showed before.
    let isTrusted = mirror.distrust == nil
    context = DecisionContext(
      now: now, openWalkBeganAt: isTrusted ? mirror.openWalkBeganAt : nil,
      mirrorCompleteSince: isTrusted ? mirror.completeSweepBeganAt : nil, isCatchingUp: intake.caughtUpAt == nil,
      unknownTime: intake.unknownTime, isTimeConfirmed: isTimeConfirmed)
    var rules = rules
    rules.clockSkew = max(rules.clockSkew, Self.skew(mirror, intake))
    (self.rules, self.now, self.transaction) = (rules, now, transaction)
    change = try transaction.rulesInForce().change
    hasActs = try transaction.hasActs()
  }

  /// Returns by how much the shop's and the API's clocks were found to differ, beyond what the measurement can tell.
  private static func skew(_ mirror: MirrorProgress, _ intake: IntakeProgress) -> Duration {
    guard let api = mirror.clockAhead, let shop = intake.clockAhead else { return .zero }
    return max(.zero, max(api - shop, shop - api) - resolution)
  }

  /// Decides an order that the ledger has not met.
  ///
  /// - Parameters:
  ///   - row: The row as the shop shows it.
  ///   - isCovered: True if it was visible before the mirror's last complete sweep began: it waits for no other.
  /// - Returns: The decision.
  /// - Throws: `LedgerFailure`.
  func decide(new row: OrderRow, isCovered: Bool) throws -> Decision {
    var facts = OrderFacts(row: row, firstSeenAt: isCovered ? Timestamp(microseconds: .min) : now)
    if case .readable(let order) = row { facts.idIsRepeated = try transaction.isRepeated(order) }
    facts.idIsUnproven = true
    facts.act = try act(on: row)
    facts.isOpenedByRules = change?.opens(new: row) ?? false
    return try decide(facts, except: nil)
  }

  /// Decides an order that the ledger holds.
  ///
  /// - Parameters:
  ///   - order: The order as the ledger holds it.
  ///   - isGone: True if the shop has said that its row is gone.
  ///   - isExcluded: True if the shop has said that its row is there, and no order any more.
  /// - Returns: The decision.
  /// - Throws: `LedgerFailure`.
  func decide(_ order: LedgerOrder, isGone: Bool = false, isExcluded: Bool = false) throws -> Decision {
    let facts = OrderFacts(
      row: order.row, isGone: isGone || order.row.key.isLost, isExcluded: isExcluded, firstSeenAt: order.firstSeenAt,
      hadQualified: order.hadQualified,
      idIsRepeated: order.idIsRepeated, idIsUnproven: order.idIsUnproven, act: try act(on: order.row),
      isOpenedByRules: order.isOpenedByRules || change?.opens(order, now: now) ?? false,
      formerValue: change?.changesAmounts == true ? order.valueToSend : nil)
    // Looks for no holder of the referral that this order holds: no other order holds it.
    return try decide(facts, except: order.entry, holding: order.claims ? order.referralID : nil)
  }

  private func act(on row: OrderRow) throws -> OperatorAct? {
    try hasActs ? transaction.act(on: row) : nil
  }

  private func decide(
    _ facts: OrderFacts, except entry: EntryID?, holding: ReferralID? = nil
  ) throws -> Decision {
    var referrals: [MirroredReferral] = []
    if case .readable(let order) = facts.row {
      referrals = try transaction.referrals(sharing: order.email, order.externalSourceID)
    }
    return try rules.decide(facts, among: referrals, context: context) { referral in
      referral == holding ? nil : try transaction.holder(of: referral, except: entry)
    }
  }
}

extension OrderDecider {
  /// Stores what was decided of an order that the ledger holds; one that can matter no more leaves it.
  ///
  /// - Returns: True if it left the ledger.
  func store(_ decision: Decision, of order: LedgerOrder) throws -> Bool {
    if let readable = order.order, order.frozen == nil, rules.isPast(readable, decision, now: now) {
      try transaction.dismiss(order.entry, as: decision.outcome)
      return true
    }
    try transaction.decide(order.entry, decision, at: now)
    return false
  }
}
