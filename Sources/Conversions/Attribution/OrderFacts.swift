/// All that is known of one order, its row among it, on which a decision rests: the same for an order that intake has
/// just seen, one that matching decides again, and one that is about to be sent.
public struct OrderFacts: Hashable, Sendable {
  /// The row, as last shown by the shop.
  public var row: OrderRow
  /// True once the shop has said that the row is gone.
  public var isGone: Bool
  /// True once the shop has said that the row is there, and no longer an order.
  public var isExcluded: Bool
  /// The time at which the order was first seen; a long time ago for one that was visible before the mirror's last
  /// complete sweep began.
  public var firstSeenAt: Timestamp
  /// True if it qualified at any time before.
  public var hadQualified: Bool
  /// True if another row has the same transaction ID.
  public var idIsRepeated: Bool
  /// True while the shop has yet to tell that both rows are there.
  public var idIsUnproven: Bool
  /// The operator's act on it.
  public var act: OperatorAct?
  /// True if nothing but changed rules made it sendable, among so many that an operator has to release them.
  public var isOpenedByRules: Bool
  /// The value with which it would have been sent before a change of the rules that turns totals into values; nil where
  /// there is no such change.
  public var formerValue: Int64?

  /// Facts from their values.
  public init(
    row: OrderRow, isGone: Bool = false, isExcluded: Bool = false, firstSeenAt: Timestamp, hadQualified: Bool = false,
    idIsRepeated: Bool = false, idIsUnproven: Bool = false, act: OperatorAct? = nil, isOpenedByRules: Bool = false,
    formerValue: Int64? = nil
  ) {
    self.row = row
    self.isGone = isGone
    self.isExcluded = isExcluded
    self.firstSeenAt = firstSeenAt
    self.hadQualified = hadQualified
    self.idIsRepeated = idIsRepeated
    self.idIsUnproven = idIsUnproven
    self.act = act
    self.isOpenedByRules = isOpenedByRules
    self.formerValue = formerValue
  }

  /// Returns true if changed rules give it another value than it would have been sent with.
  func isRevalued(by decision: Decision) -> Bool { decision.revalues(formerValue) }
}

extension Decision {
  /// Returns true if it gives another value than the one with which the order would have been sent; false where there
  /// was none.
  public func revalues(_ formerValue: Int64?) -> Bool { formerValue.map { $0 != value } ?? false }
}

extension LedgerOrder {
  /// The value with which it would be sent; nil where it is not to be.
  public var valueToSend: Int64? { outcome == .queued || outcome == .held ? value : nil }
}
