/// Records of orders whose rows were not found when they were to be sent.
public protocol MissingRowRecords {
  /// Takes in what decides which rows are seen: the server's cluster, the role, views, row-level security. Keeps the
  /// time where it is not what it was.
  func noteSight(_ sight: String, at now: Timestamp) throws
  /// Notes that an order's row is missing, and returns the miss, which begins now where there is none. Forgets the misses
  /// of other orders that began more than two windows ago and that no order waits for.
  func noteMissing(_ entry: EntryID, at now: Timestamp) throws -> VanishedRows.Miss
  /// Says that an order waits as one of many that are missing.
  func holdMissing(_ entry: EntryID) throws
  /// Forgets a miss, as the row was shown; returns true if the order waited for it.
  func noteFound(_ entry: EntryID) throws -> Bool
  /// Forgets the misses of orders whose rows are shown again, but for those that wait as missing, whose own look ends it.
  func forgetMisses(_ entries: [EntryID]) throws
  /// Counts the orders that are to be sent and were first missed within the window.
  func missingToSend(now: Timestamp) throws -> Int
  /// Returns the facts of all orders.
  func vanishedRows(now: Timestamp) throws -> VanishedRows
  /// Returns orders that have a row and a referral and were never sent, in the order in which they were placed.
  func firstPlacedToSend(limit: Int) throws -> [(entry: EntryID, key: OrderKey)]
  /// Counts the orders that wait as missing.
  func heldMissingCount() throws -> Int
  /// Returns orders that were cancelled within the window as their rows were gone.
  func cancelledAsGone(now: Timestamp) throws -> [EntryID]
}
