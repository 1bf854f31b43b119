public import Conversions

/// The traces of a person in a ledger, and what became of them.
public struct PersonTraces: Sendable {
  /// An order that names the person.
  public struct Trace: Sendable {
    /// Its number in the ledger.
    public var entry: EntryID
    /// Its ID as people know it.
    public var orderID: String
    /// The order's outcome.
    public var outcome: Outcome
    /// The reason why nothing can be erased while it has this outcome; nil where there is none.
    public var obstacle: String?
  }

  /// Each order that names them.
  public var orders: [Trace] = []
  /// Referrals that name them.
  public var referrals = 0
  /// True if they had been forgotten before.
  public var wasForgotten = false
  /// True once all of it is erased.
  public var isErased = false
  /// The number of times that the address is still in the ledger's file: as a part of other addresses, or in the ID of
  /// an order; nil where the file wasn't searched.
  public var remaining: Int?

  /// Orders that must come to their end first.
  public var obstacles: [Trace] { orders.filter { $0.obstacle != nil } }
}
