/// Records of orders whose rows were not found when they were to be sent.
public protocol MissingRowRecords {
  /// Takes in what decides which rows are seen: the server's cluster, the role, views, row-level security.
  func noteSight(_ sight: String, at now: Timestamp) throws
  /// Returns the miss of an order, which begins now where there is none.
  func noteMissing(_ entry: EntryID, at now: Timestamp) throws -> VanishedRows.Miss
  /// Says that an order waits as one of many that are missing.
  func holdMissing(_ entry: EntryID) throws
  /// Forgets a miss, as the row was shown; returns true if the order waited for it.
  func noteFound(_ entry: EntryID) throws -> Bool
  /// Returns the facts of all orders.
  func vanishedRows(now: Timestamp) throws -> VanishedRows
  /// Returns orders that have a row and a referral and were never sent, in the order in which they were placed.
  func firstPlacedToSend(limit: Int) throws -> [(entry: EntryID, key: OrderKey)]
  /// Counts the orders that wait as missing.
  func heldMissingCount() throws -> Int
  /// Returns orders that were cancelled within the window as their rows were gone.
  func cancelledAsGone(now: Timestamp) throws -> [EntryID]
}
