import Conversions

/// Takes rows into the ledger, each decided in the transaction that stores it.
struct OrderIngest: Sendable {
  let rules: AttributionRules
  let now: Timestamp
  let isBackfill: Bool
  let isTimeConfirmed: Bool

  /// The result of taking in rows.
  struct Taken: Sendable {
    /// Orders that are new to the ledger, or changed.
    var changes = 0
    /// Orders that left nothing but a count.
    var counted: [Outcome: Int] = [:]
    var decided: [Decided] = []
    /// IDs of reported orders that came back as others.
    var reused: [String] = []
    /// Reported orders that are not what was reported any more.
    var changedSince: [ChangedSince] = []
    /// Orders that were to be reported, and lost their referral.
    var lost: [LostReferral] = []

    var waitsForSweep: Bool { decided.contains(where: \.waitsForSweep) }
    var waitsForWalk: Bool { decided.contains(where: \.waitsForWalk) }
  }

  func take(_ orders: [SeenOrder], from start: Timestamp?, _ transaction: any LedgerTransaction) throws -> Taken {
    var taken = Taken()
    let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: isTimeConfirmed)
    // Takes rows in order of placing, so that of rivals that are seen together the earliest gets their referral.
    // Sorts indices and not orders, of which a page of a few thousand is megabytes.
    let places = orders.indices.filter { orders[$0].row.isPlaced(from: start) }
    for place in places.sorted(by: { orders[$0].row.precedes(orders[$1].row) }) {
      let seen = orders[place]
      switch try transaction.identify(seen.row) {
      case .unchanged: continue
      case .unknown: try takeNew(seen, decider, transaction, &taken)
      case .changed(let entry): try takeChanged(seen.row, entry, decider, transaction, &taken)
      }
    }
    return taken
  }

  private func takeNew(
    _ seen: SeenOrder, _ decider: OrderDecider, _ transaction: any LedgerTransaction, _ taken: inout Taken
  ) throws {
    let decision = try decider.decide(new: seen.row, isCovered: seen.isCovered)
    if case .readable(let order) = seen.row, rules.isPast(order, decision, now: now) {
      taken.counted[decision.outcome, default: 0] += 1
      return
    }
    _ = try transaction.insert(seen.row, decision, seenAt: now, isBackfill: isBackfill)
    taken.changes += 1
    taken.decided.append(Decided(seen.row, decision: decision, amounts: rules.amounts))
  }

  private func takeChanged(
    _ row: OrderRow, _ entry: EntryID, _ decider: OrderDecider, _ transaction: any LedgerTransaction,
    _ taken: inout Taken
  ) throws {
    let change = try transaction.record(row, seenAt: now, isBackfill: isBackfill)
    taken.changes += 1
    if change == .reused { taken.reused.append(row.orderID) }
    guard let order = try transaction.entry(entry) else { return }
    if let changed = try ChangedSince(of: order, order.row, rules.amounts, transaction) {
      taken.changedSince.append(changed)
    }
    guard order.isUndecided else { return }
    let decision = try decider.decide(order)
    let decided = Decided(before: order, decision: decision, amounts: rules.amounts)
    if let lost = try LostReferral(of: order, decided, among: decision.candidates, transaction) {
      taken.lost.append(lost)
    }
    taken.decided.append(decided)
    _ = try decider.store(decision, of: order)
  }
}

extension LedgerOrder {
  /// True if matching is to decide it at once: it was never sent, and something about it changed.
  fileprivate var isUndecided: Bool {
    frozen == nil && dueAt == Timestamp(microseconds: 0)
      && ![.queued, .sending, .reported].contains(outcome)
  }
}

extension OrderRow {
  /// Returns true if it was placed before another, or at the same time with a lower key.
  fileprivate func precedes(_ other: OrderRow) -> Bool {
    // Rows that can't be read come first.
    guard case .readable(let mine) = self else { if case .readable = other { return true } else { return false } }
    guard case .readable(let theirs) = other else { return false }
    let (early, late) = (mine.placedAt.earliest, theirs.placedAt.earliest)
    return early == late ? key.precedes(other.key) : early < late
  }

  /// Returns true if intake takes the row in. One that can't be read is taken in, as a person must look at it.
  func isPlaced(from time: Timestamp?) -> Bool {
    guard let time, case .readable(let order) = self else { return true }
    return order.placedAt.latest >= time
  }
}
