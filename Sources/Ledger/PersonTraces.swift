public import Conversions

/// What a ledger holds of a person, and what became of it.
public struct PersonTraces: Sendable {
  /// An order that names the person.
  public struct Trace: Sendable {
    /// Its number in the ledger.
    public var entry: EntryID
    /// Its ID as people know it.
    public var orderID: String
    /// Where it stands.
    public var outcome: Outcome
    /// Why nothing can be erased while it stands there; nil where it is in nobody's way.
    public var obstacle: String?
  }

  /// Each order that names them.
  public var orders: [Trace] = []
  /// Referrals that name them.
  public var referrals = 0
  /// Whether they had been forgotten before.
  public var wasForgotten = false
  /// Whether all of it is erased now.
  public var isErased = false
  /// How often the address still stands in the ledger's file: as a part of other addresses, or in the ID of an order; nil
  /// where nobody looked.
  public var remaining: Int?

  /// Orders that must come to their end first.
  public var obstacles: [Trace] { orders.filter { $0.obstacle != nil } }
}
