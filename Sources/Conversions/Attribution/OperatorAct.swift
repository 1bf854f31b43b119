/// An operator's act on an order, kept by the order's transaction ID, its key, its time of placing and its buyer: it
/// outlasts a row that is deleted and made again, an order that gets another number, and a change of the rules.
public struct OperatorAct: Hashable, Sendable {
  /// The kinds of acts that a decision obeys.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// The order is never reported.
    case discard
    /// The order waits until it is released.
    case hold
  }

  /// The kind.
  public var kind: Kind
  /// The operator's reason, in words of their own.
  public var reason: String?
  /// The user whose act it is, such as `alice (uid 1000)`.
  public var actor: String
  /// The time of the act.
  public var actedAt: Timestamp

  /// The order that it was made for, as the shop showed it then; nil where the ledger had none of its ID.
  public var order: ActedOrder?

  /// Makes an act from its values.
  public init(kind: Kind, reason: String?, actor: String, actedAt: Timestamp, order: ActedOrder? = nil) {
    self.kind = kind
    self.reason = reason
    self.actor = actor
    self.actedAt = actedAt
    self.order = order
  }

  /// Returns true if an order that has the act's ID obeys it: an act goes with the ID, unless the order that it was made
  /// for is known under another one (`isElsewhere`). That one obeys it then, and another order that has the ID doesn't;
  /// nor, by a hold, one whose row is gone, as it would keep its referral for ever.
  public func binds(_ shown: ActedOrder, isElsewhere: Bool) -> Bool {
    let isOther = order?.isOther(shown) ?? false || kind == .hold && shown.key.isLost
    return !isElsewhere || !isOther
  }
}

/// An order that an operator has acted on, as far as it tells it from others.
public struct ActedOrder: Hashable, Sendable {
  /// The key of its row.
  public var key: OrderKey
  /// The earliest time at which it may have been placed; nil where its row can't be read.
  public var placedFrom: Timestamp?
  /// A hash of its buyer, by address, else by the partner's references; nil where it names none.
  public var buyer: Int64?

  /// Makes one from its values.
  public init(key: OrderKey, placedFrom: Timestamp?, buyer: Int64?) {
    (self.key, self.placedFrom, self.buyer) = (key, placedFrom, buyer)
  }

  /// Takes what a row shows.
  public init(_ row: OrderRow) {
    self.init(key: row.key, placedFrom: nil, buyer: nil)
    guard case .readable(let order) = row else { return }
    placedFrom = order.placedAt.earliest
    buyer = Self.hash(order.email?.text ?? order.externalSourceID?.text ?? order.customerID)
  }

  /// Returns the hash of a buyer's address; nil for none.
  public static func hash(_ buyer: String?) -> Int64? {
    buyer.map { Int64(bitPattern: KeyHash.of($0)) }
  }

  /// Returns true if an order that the shop shows under the same ID is another one: placed at another time, by another
  /// buyer. A buyer or a time alone may have been corrected, and a row made anew has another key.
  public func isOther(_ shown: ActedOrder) -> Bool {
    guard let placedFrom, let buyer, let time = shown.placedFrom, let person = shown.buyer else { return false }
    return placedFrom != time && buyer != person
  }

  /// Returns true if an order that the shop shows under another ID is this one: it has its key and its time of placing.
  public func isRenumbered(_ shown: ActedOrder) -> Bool {
    key == shown.key && placedFrom == shown.placedFrom && placedFrom != nil
  }
}
