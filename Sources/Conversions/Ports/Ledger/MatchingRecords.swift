/// Records of matching.
public protocol MatchingRecords {
  /// Returns orders to be decided now: new ones, changed ones, those that are due, those that a changed referral
  /// concerns.
  func undecided(at now: Timestamp, limit: Int) throws -> [LedgerOrder]
  /// Returns the time at which the next order is due to be decided.
  func nextDecisionAt() throws -> Timestamp?
  /// Returns every mirrored referral that shares a key with an order.
  func referrals(sharing email: EmailAddress?, _ externalSourceID: ExternalSourceID?) throws -> [MirroredReferral]
  /// Returns a referral that is known to hold a key of a kind, of those last seen.
  func referral(holding key: MatchingKey) throws -> MirroredReferral?
  /// Returns the order that holds a referral, other than `entry`.
  func holder(of referral: ReferralID, except entry: EntryID?) throws -> DecisionContext.Holder?
  /// Stores a decision. Its claim is taken from the order that holds the referral, which is decided again: no decision
  /// claims what a frozen order holds (`AttributionRules.decide`). Orders that wait behind a claim which the order gives
  /// up are decided again. The times are those of `OrderState.after`.
  func decide(_ entry: EntryID, _ decision: Decision, at now: Timestamp) throws
  /// Marks the orders behind a referral for another decision.
  func wakeRivals(of referral: ReferralID) throws
  /// Returns the rules by which orders were decided, and the change of them that is being carried out.
  func rulesInForce() throws -> RulesInForce
  /// Stores the rules by which orders are decided.
  func setRulesInForce(_ rules: RulesInForce) throws
  /// Returns orders that were never sent and are not reported, in the order of their numbers.
  func neverSent(after entry: EntryID, limit: Int) throws -> [LedgerOrder]
  /// Counts the orders that changed rules have made sendable and that are held for it.
  func openedByRules() throws -> Int
}

/// Records of operators' acts on orders.
public protocol ActRecords {
  /// True if there is any operator's act.
  func hasActs() throws -> Bool
  /// Returns the operator's act on an order, by its transaction ID.
  func act(on transactionID: String) throws -> OperatorAct?
  /// Returns the act that an order obeys: the one on its ID, unless that was made for another order, which has another ID
  /// now; else the one that was made for it under another ID.
  func act(on row: OrderRow) throws -> OperatorAct?
  /// Takes back what an order obeys.
  func removeActs(on row: OrderRow) throws
  /// Stores an operator's act, or removes it with nil, and marks the order for another decision. An act that names no
  /// order is stored with the one that has the ID, where a single one has.
  func setAct(_ act: OperatorAct?, on transactionID: String) throws
  /// Releases orders that changed rules have made sendable, all of them or those named, and marks them for another
  /// decision; returns how many there were.
  func releaseOpenedByRules(_ entries: [EntryID]?) throws -> Int
}
