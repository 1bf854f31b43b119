import Conversions

/// A look at other orders that are to be sent, once the row of one is gone.
///
/// An archive job that moves rows away before their hold ends lets each be missed alone, days after the last one: all
/// of them would be taken for cancelled.
actor OtherRows {
  /// The most that are looked at: those that were placed first, as they are moved away first.
  private static let count = 50
  /// The time between two looks: a table that was emptied has a row missed at each send.
  private static let interval = Duration.seconds(60)

  private let context: PipelineContext
  /// The last look, and the uptime at which it began. Attempts that miss rows at the same time wait for the same one:
  /// each is judged by all that are missing.
  private var last: (look: Task<Void, any Error>, at: Duration)?

  init(_ context: PipelineContext) { self.context = context }

  /// Notes the others whose rows are gone, too, and those whose rows are there, where the row of an order is gone that
  /// was never sent.
  ///
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  func look(beside order: LedgerOrder, _ sighting: RowSighting) async throws {
    guard sighting == .gone, !order.mayHaveBeenDone, order.referralID != nil else { return }
    let uptime = context.clock.uptime
    if let last, uptime - last.at < Self.interval { return try await last.look.value }
    let look = Task(executorPreference: context.executor) { [context] in
      try await Self.look(beside: order.entry, context)
    }
    last = (look, uptime)
    do {
      try await look.value
    } catch {
      if last?.look == look { last = nil }
      throw error
    }
  }

  private static func look(beside entry: EntryID, _ context: PipelineContext) async throws {
    let others = try await context.ledger.transaction { try $0.firstPlacedToSend(limit: count) }
      .filter { $0.entry != entry }
    guard !others.isEmpty else { return }
    let rows = try await context.orders.orders(withKeys: others.map(\.key))
    let now = context.clock.now
    try await context.ledger.transaction { transaction in
      for other in others where rows[other.key] == .gone { _ = try transaction.noteMissing(other.entry, at: now) }
      try transaction.forgetMisses(others.filter { rows[$0.key]?.row != nil }.map(\.entry))
    }
  }
}
