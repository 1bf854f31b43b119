import Conversions

/// A look at other orders that are to be sent, once the row of one is gone.
///
/// An archive job that moves rows away before their hold ends lets each be missed alone, days after the last one: all
/// of them would be taken for cancelled.
struct OtherRows: Sendable {
  /// The most that are looked at: those that were placed first, as they are moved away first.
  private static let count = 50
  /// The time between two looks: a table that was emptied has a row missed at each send.
  private static let interval = Duration.seconds(60)

  private var lookedAt: Duration?

  /// Looks at others where the row of one is gone that was never sent.
  ///
  /// - Parameters:
  ///   - shown: The orders that are about to be sent, with what was just shown of them.
  ///   - context: The shop, the ledger and the clock.
  /// - Returns: The others whose rows are gone, too, and those whose rows are there.
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  mutating func look(
    beside shown: [(order: LedgerOrder, sighting: RowSighting?)], _ context: PipelineContext
  ) async throws -> (missing: [EntryID], there: [EntryID]) {
    let isMissed = shown.contains { $0.sighting == .gone && !$0.order.mayHaveBeenDone && $0.order.referralID != nil }
    let uptime = context.clock.uptime
    guard isMissed, lookedAt.map({ uptime - $0 >= Self.interval }) ?? true else { return ([], []) }
    lookedAt = uptime
    let known = Set(shown.map(\.order.entry))
    let others = try await context.ledger.transaction { try $0.firstPlacedToSend(limit: Self.count) }
      .filter { !known.contains($0.entry) }
    guard !others.isEmpty else { return ([], []) }
    let rows = try await context.orders.orders(withKeys: others.map(\.key))
    return (
      others.filter { rows[$0.key] == .gone }.map(\.entry), others.filter { rows[$0.key]?.row != nil }.map(\.entry)
    )
  }
}
