import Conversions
import Logging

/// Asks the shop about order IDs that several orders have.
///
/// A failed checkout that is deleted and made again as a new row, or a table that is loaded anew, shows the same ID
/// under another key: only the shop can tell whether the old row is still there.
struct RepeatedIDCheck: Sendable {
  /// The most IDs asked about at once.
  static let idsMax = 200
  /// The time after which the shop is asked again about IDs that a person must look at: they may be right by then.
  static let interval = Duration.seconds(3600)

  private var askedAgainAt: Duration?
  private var notBefore: Duration = .zero

  /// Asks about the IDs that are due, in one read; returns true if there were any.
  ///
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  mutating func step(_ standing: IntakeStanding, _ context: PipelineContext, wait: Duration) async throws -> Bool {
    let uptime = context.clock.uptime
    if askedAgainAt.map({ uptime - $0 >= Self.interval }) ?? true {
      try await context.ledger.transaction { try $0.questionRepeatedIDs() }
      askedAgainAt = uptime
    }
    guard uptime >= notBefore, !standing.repeatedIDs.isEmpty else { return false }
    // Asks about IDs that the shop can't tell of with the next poll.
    notBefore = uptime + wait
    try await ask(standing.repeatedIDs, context)
    return true
  }

  private func ask(_ ids: [RepeatedID], _ context: PipelineContext) async throws {
    let keys = Set(ids.flatMap(\.keys))
    let sightings = try await context.orders.orders(withKeys: Array(keys))
    let shown = sightings.compactMapValues(\.row)
    // A server that is behind tells nothing of a row that it does not show.
    let proven = ids.filter { id in id.keys.allSatisfy { sightings[$0]?.isUnproven == false } }
    let now = context.clock.now
    let reused = try await context.ledger.transaction { transaction in
      try proven.filter { try transaction.resolve($0, shown: shown, at: now) }
    }
    for id in reused { context.log.noteReuse(of: id.transactionID) }
    context.matchingWake.notify()
  }
}

extension Logger {
  /// Logs that the ID of a reported order came back with another order.
  func noteReuse(of order: String) {
    event(
      .review, .error,
      "order \(order) was reported, and its ID has come back with another time of placing and another buyer",
      ["order": order, "reason": ReviewReason.idReused.rawValue])
  }
}
