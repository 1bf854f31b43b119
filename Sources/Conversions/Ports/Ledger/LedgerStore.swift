/// The store of what must be remembered, whatever happens to the process or the host.
public protocol LedgerStore: Sendable {
  /// The number of transactions that have changed anything: a read's result holds while this is what it was before it.
  var changes: UInt64 { get }
  /// Runs `body` in one transaction: all it did is durable when this returns, and nothing of it when it throws.
  ///
  /// The transaction must not leave `body`. Never waits for anything but the store itself.
  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) async throws -> Value

  /// Returns the keys of all orders and referrals that are remembered, kept up to date from now on.
  func knownKeys() async throws -> KnownKeys

  /// Returns the space of the disk in use, in bytes; where it would be more than `limit`, what waits to be folded in is
  /// folded in first.
  func size(foldingAbove limit: Int64) async throws -> Int64
}

/// Everything that can be done to a ledger, grouped by who does it. Each method's doc says all that it writes.
///
/// A store keeps, and decides nothing: the rules, and their lists of outcomes and reasons, are values of this target. By
/// itself it tells orders apart (`identify`, `resolve`), and marks orders for another decision (wakes them) in the
/// transaction that changes what their decision rests on: one marked later would be lost in a crash.
public protocol LedgerTransaction: IntakeRecords, ReferralRecords, MatchingRecords, ActRecords, DeliveryRecords,
  QueueRecords, RetentionRecords, ClockRecords, SourceRecords, ChangeRecords, MissingRowRecords
{}
