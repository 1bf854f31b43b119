import Conversions
import Logging

/// When the shop is asked about order IDs that several orders have.
///
/// A failed checkout that is deleted and made again as a new row, or a table that is loaded anew, shows the same ID under
/// another key: only the shop can tell whether the old row is still there.
struct RepeatedIDCheck: Sendable {
  /// IDs asked about at once.
  static let idsMax = 200
  /// How often the shop is asked again about those that a person must look at: by then it may have been put right.
  static let interval = Duration.seconds(3600)

  private var askedAgainAt: Duration?
  private var notBefore: Duration = .zero

  /// Asks about what is to be asked now, in one read; tells whether there was anything.
  ///
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  mutating func step(_ standing: IntakeStanding, _ surroundings: Surroundings, wait: Duration) async throws -> Bool {
    let uptime = surroundings.clock.uptime
    if askedAgainAt.map({ uptime - $0 >= Self.interval }) ?? true {
      try await surroundings.ledger.transaction { try $0.questionRepeatedIDs() }
      askedAgainAt = uptime
    }
    guard uptime >= notBefore, !standing.repeatedIDs.isEmpty else { return false }
    // Where the shop can't tell of some, they are asked about with the next poll.
    notBefore = uptime + wait
    try await ask(standing.repeatedIDs, surroundings)
    return true
  }

  private func ask(_ ids: [RepeatedID], _ surroundings: Surroundings) async throws {
    let keys = Set(ids.flatMap(\.keys))
    let sightings = try await surroundings.orders.orders(withKeys: Array(keys))
    let shown = sightings.compactMapValues(\.row)
    // A server that is behind tells nothing of a row that it does not show.
    let told = ids.filter { id in id.keys.allSatisfy { sightings[$0]?.isUnproven == false } }
    let now = surroundings.clock.now
    let reused = try await surroundings.ledger.transaction { transaction in
      try told.filter { try transaction.resolve($0, shown: shown, at: now) }
    }
    for id in reused { surroundings.log.noteReuse(of: id.transactionID) }
    surroundings.matchingBell.ring()
  }
}

extension Logger {
  /// Says that the ID of a reported order came back with another order.
  func noteReuse(of order: String) {
    event(
      .review, .error,
      "order \(order) was reported, and its ID has come back with another time of placing and another buyer",
      ["order": order, "reason": ReviewReason.idReused.rawValue])
  }
}
