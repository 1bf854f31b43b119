import Conversions
import Logging

/// An order that is not sent as its row is missing together with many: it waits, or a person is asked.
struct MissingRow: Sendable {
  let decided: Decided
  /// The number of orders that are to be sent and were missed within the hour; nil if others waited for this before.
  let newCount: Int?

  /// Logs the first of them as an outage, each as any change.
  func log(in context: PipelineContext) {
    context.logChanges([decided])
    guard let newCount else { return }
    context.log.event(
      .rowsMissing, .error,
      "\(newCount) orders that have a referral are missing from the shop's table: none is taken for cancelled, each is held as "
        + "row_missing and looked for every hour, for seven days. Were rows moved away, is it another database, does "
        + "row-level security or a view hide them? conversiond queue list --state held --reason row_missing; those whose rows were "
        + "deleted on purpose: conversiond queue discard ORDER --yes",
      ["reason": DecisionReason.rowMissing])
  }
}

/// Judges orders whose rows are gone, in one transaction of the ledger.
struct MissingRows {
  let ledger: any LedgerTransaction
  let now: Timestamp

  /// Judges an order whose row is gone, or hidden; nil where it was deleted, and is to be decided as any order is.
  func holdIfMissing(_ order: LedgerOrder, mayBeHidden: Bool) throws -> MissingRow? {
    let miss = try ledger.noteMissing(order.entry, at: now)
    let vanished = try ledger.vanishedRows(now: now)
    let verdict = vanished.verdict(on: miss, firstSeenAt: order.firstSeenAt, mayBeHidden: mayBeHidden, now: now)
    guard verdict != .deleted else { return nil }
    let isNews = try ledger.heldMissingCount() == 0
    try ledger.holdMissing(order.entry)
    let decision = Decision.rowMissing(order, mayBeHidden: mayBeHidden, isGivenUp: verdict == .givenUp, at: now)
    if order.frozen != nil { try ledger.unfreeze(order.entry) }
    try ledger.decide(order.entry, decision, at: now)
    try takeBack()
    return MissingRow(
      decided: Decided(before: order, decision: decision),
      newCount: isNews ? max(1, try ledger.missingToSend(now: now)) : nil)
  }

  /// Takes back, to look at them again, those that were taken for deleted before it showed that they are among many.
  private func takeBack() throws {
    for entry in try ledger.cancelledAsGone(now: now) {
      guard let order = try ledger.entry(entry), case .readable(var row) = order.row else { continue }
      try ledger.holdMissing(entry)
      row.qualifies = true
      _ = try ledger.record(.readable(row), seenAt: now, isBackfill: order.isBackfill)
    }
  }
}
