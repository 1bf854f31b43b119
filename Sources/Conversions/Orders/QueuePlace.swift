/// A queued order's place among those that are to be sent.
public struct QueuePlace: Sendable {
  /// True for an order of a backfill: live orders come before it.
  public let isBackfill: Bool
  /// The time at which it is due.
  public let dueAt: Timestamp
  /// Its number in the ledger.
  public let entry: EntryID

  /// Makes a place from its values.
  public init(isBackfill: Bool, dueAt: Timestamp, entry: EntryID) {
    (self.isBackfill, self.dueAt, self.entry) = (isBackfill, dueAt, entry)
  }

  /// Makes the place of an order; nil for one that is not due at any time.
  public init?(of order: LedgerOrder) {
    guard let dueAt = order.dueAt else { return nil }
    self.init(isBackfill: order.isBackfill, dueAt: dueAt, entry: order.entry)
  }
}
