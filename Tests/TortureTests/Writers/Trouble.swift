/// The ways in which orders are written and changed. Each is one that a shop's code has, and that a cursor over a key,
/// a time or a snapshot loses orders to.
enum Trouble: String, Sendable, CaseIterable {
  /// One statement, committed at once.
  case plain
  /// A few statements.
  case shortTransaction
  /// Open for longer than several polls.
  case longTransaction
  /// Takes its ID long before it is inserted: higher IDs are committed first.
  case earlySequence
  /// Some written behind savepoints, released or rolled back: sub-transactions have transaction IDs of their own.
  case savepoints
  /// Prepared, and committed much later by another session.
  case prepared
  /// Never committed.
  case rolledBack
  /// Another order of the same friend.
  case rival
  /// An order for no referral, sometimes many at once.
  case stranger
  /// Becomes paid, mostly without its change column noticing.
  case pay
  /// Becomes paid behind a savepoint, and is committed long after.
  case payInSavepoint
  /// Becomes paid in a prepared transaction.
  case payPrepared
  /// Cancelled or refunded.
  case stopQualifying
  /// Deleted.
  case delete
  /// Another value.
  case revalue
  /// A change that means nothing to us.
  case touch
  /// Ends what another session has prepared.
  case finishPrepared

  static let weights: [(weight: Int, value: Trouble)] = [
    (60, .plain), (25, .shortTransaction), (8, .longTransaction), (12, .earlySequence), (10, .savepoints),
    (8, .prepared), (4, .rolledBack), (15, .rival), (30, .stranger), (50, .pay), (6, .payInSavepoint),
    (5, .payPrepared), (8, .stopQualifying), (4, .delete), (8, .revalue), (60, .touch), (12, .finishPrepared),
  ]
}
