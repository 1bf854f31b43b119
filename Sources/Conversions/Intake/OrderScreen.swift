/// Which rows need not be looked at closely: orders too old to wait for a referral any more, of which the mirror's last
/// complete sweep knew no referral, and which the ledger doesn't hold. Of a shop with years of orders that is almost all.
public struct OrderScreen: Sendable {
  /// An order placed before this takes no part at all; nil where every order does.
  public var takesOrdersFrom: Timestamp?
  /// An order whose `placed_at` ends before this has waited for a referral for as long as orders do.
  public var oldBefore: Timestamp
  /// Versions with a lower transaction number were visible before the mirror's last complete sweep began; nil where that
  /// can be said of none.
  public var settledHorizon: UInt64?
  /// The keys that the ledger knows.
  public var known: KnownKeys

  /// A screen from its values.
  public init(takesOrdersFrom: Timestamp?, oldBefore: Timestamp, settledHorizon: UInt64?, known: KnownKeys) {
    self.takesOrdersFrom = takesOrdersFrom
    self.oldBefore = oldBefore
    self.settledHorizon = settledHorizon
    self.known = known
  }
}
