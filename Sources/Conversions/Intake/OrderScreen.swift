/// The rule for rows that need no close look: orders too old to wait for a referral any more, of which the mirror's
/// last complete sweep knew no referral, and which the ledger doesn't hold. Of a shop with years of orders that is
/// almost all.
public struct OrderScreen: Sendable {
  /// The time from which on orders take part; nil where every order does.
  public var takesOrdersFrom: Timestamp?
  /// The time before which the `placed_at` of an order ends whose wait for a referral is over.
  public var oldBefore: Timestamp
  /// The transaction number below which versions were visible before the mirror's last complete sweep began; nil where
  /// that can be said of none.
  public var coveredHorizon: UInt64?
  /// The keys that the ledger knows.
  public var known: KnownKeys

  /// Makes a screen from its values.
  public init(takesOrdersFrom: Timestamp?, oldBefore: Timestamp, coveredHorizon: UInt64?, known: KnownKeys) {
    self.takesOrdersFrom = takesOrdersFrom
    self.oldBefore = oldBefore
    self.coveredHorizon = coveredHorizon
    self.known = known
  }
}
