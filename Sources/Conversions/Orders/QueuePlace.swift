/// A queued order's place among those that are to be sent.
public struct QueuePlace: Sendable {
  /// Live orders come before any of a backfill.
  public let isBackfill: Bool
  /// When it is due.
  public let dueAt: Timestamp
  /// Its number in the ledger.
  public let entry: EntryID

  /// The place of an order; nil for one that is not due at any time.
  public init?(of order: LedgerOrder) {
    guard let dueAt = order.dueAt else { return nil }
    (isBackfill, self.dueAt, entry) = (order.isBackfill, dueAt, order.entry)
  }
}
