import Conversions

/// The decision on a queued order, once the shop has shown it again right before its send.
enum BeforeSend: Sendable {
  /// An order and the report to send.
  case send(LedgerOrder, ConversionReport)
  /// Still to be sent, but for a referral that wasn't looked at: look at it first.
  case changed(LedgerOrder)
  /// Not to be sent: it was decided anew, or is another loop's now.
  case dropped(Decided?)
  /// Not to be sent before a time, as its row could not be looked at reliably, for a reason.
  case putOff(LedgerOrder, until: Timestamp, String)
  /// Not to be sent for now: its row is missing, and so are many.
  case missing(MissingRow)
  /// It may have been done, and should not have been if it wasn't: ask the API.
  case resolveUnknown(LedgerOrder, FrozenReport)
}

/// Freezes the report of an order, or finds what keeps it from being sent, in one transaction of the ledger.
struct FreezeReport {
  let ledger: any LedgerTransaction
  let decider: OrderDecider

  /// Puts off an order whose row could not be looked at reliably; returns nil for any other sighting.
  private func postpone(_ order: LedgerOrder, _ sighting: RowSighting) throws -> BeforeSend? {
    let words: String
    switch sighting {
    case .unproven(let reason): words = reason
    // Asks the API nothing, whose answer would end what was sent as cancelled.
    case .hidden where order.mayHaveBeenDone: words = "its row is missing, and row-level security may hide it"
    default: return nil
    }
    let until = decider.now + RowSighting.unprovenWait
    try ledger.postpone(order.entry, until: until, reason: RowSighting.unprovenReason, detail: words)
    return .putOff(order, until: until, words)
  }

  /// Takes in what the shop shows of a queued order and decides it anew, in the transaction that freezes its report:
  /// since it was picked, intake, the mirror and matching went on, and the rules may be others than those by which it
  /// was queued. Left as it is, an order that is decided otherwise would be the next to send for ever.
  ///
  /// - Parameters:
  ///   - order: The order as it stood when its referral was looked at.
  ///   - sighting: The row as the shop shows it.
  /// - Returns: The decision on it.
  /// - Throws: `LedgerFailure`.
  func freeze(_ order: LedgerOrder, _ sighting: RowSighting) throws -> BeforeSend {
    let now = decider.now
    if let putOff = try postpone(order, sighting) { return putOff }
    // Drops it if intake stored another version meanwhile: this one may be older, and is read again.
    guard let known = try ledger.entry(order.entry), known.outcome == .queued, known.row == order.row else {
      return .dropped(nil)
    }
    // A row with another ID is another order, which intake takes in: this one's is gone.
    let row = sighting.row.flatMap { $0.isSameOrder(as: known) ? $0 : nil }
    let isExcluded = sighting == .excluded
    if row != nil || isExcluded { _ = try ledger.noteFound(known.entry) }
    if row == nil, !isExcluded, known.referralID != nil, !known.mayHaveBeenDone,
      let missing = try MissingRows(ledger: ledger, now: now).holdIfMissing(known, mayBeHidden: sighting == .hidden)
    {
      return .missing(missing)
    }
    let shown = row ?? known.row.withdrawn
    let change = shown == known.row ? .unchanged : try ledger.record(shown, seenAt: now, isBackfill: known.isBackfill)
    guard let current = change == .unchanged ? known : try ledger.entry(known.entry) else { return .dropped(nil) }
    if let frozen = current.frozen, frozen.hasUnknownOutcome {
      // Sends the same bytes again that may have been done, as long as the order is still worth a report.
      return current.order?.qualifies == true ? .send(current, frozen.report) : .resolveUnknown(current, frozen)
    }
    // A first send waits for a confirmed clock and for the end of the catch-up. So does an order whose earlier sends
    // turned out to be refused since it was picked.
    guard decider.isTimeConfirmed, try ledger.intakeProgress().caughtUpAt != nil else { return .dropped(nil) }
    // Decides it as it stands in this transaction.
    let decision = try decider.decide(current, isGone: row == nil && !isExcluded, isExcluded: isExcluded)
    let report = ConversionReport(of: current, decision)
    // Unfreezes it, as no send can have had an effect: a change still counts, whatever task saw it first.
    if let frozen = current.frozen, frozen.report != report { try ledger.unfreeze(current.entry) }
    if change != .unchanged || !current.stands(as: decision) { try ledger.decide(current.entry, decision, at: now) }
    guard let report else {
      return .dropped(Decided(before: current, decision: decision, amounts: decider.rules.amounts))
    }
    // Returns to the question unless the referral and the keys are those that were asked for.
    guard !order.mayHaveBeenDone, report.referralID == order.referralID, current.hasKeys(of: order) else {
      return try ledger.entry(current.entry).map(BeforeSend.changed) ?? .dropped(nil)
    }
    return .send(current, report)
  }
}

extension LedgerOrder {
  /// Returns true if it holds the same keys as it did when it was looked at.
  fileprivate func hasKeys(of other: LedgerOrder) -> Bool {
    order?.email == other.order?.email && order?.externalSourceID == other.order?.externalSourceID
  }

  /// Returns true if a decision to send it would change nothing.
  func stands(as decision: Decision) -> Bool {
    decision.outcome == outcome && decision.referralID == referralID && decision.value == value
      && decision.claims == claims && decision.reason == reason
  }
}

extension OrderRow {
  /// Returns true if the row is that of an order, by its ID, or if its ID can't be read.
  fileprivate func isSameOrder(as order: LedgerOrder) -> Bool {
    guard let shown = transactionID, let known = order.row.transactionID ?? order.frozen?.report.transactionID.text
    else { return true }
    return shown.utf8.elementsEqual(known.utf8)
  }

  /// The row as one that is no longer worth a report: what a deleted order comes to.
  fileprivate var withdrawn: OrderRow {
    guard case .readable(var order) = self else { return self }
    order.qualifies = false
    return .readable(order)
  }
}

extension ConversionReport {
  /// The report that a decision would have an order sent with; nil where it would have none sent.
  init?(of order: LedgerOrder, _ decision: Decision) {
    guard decision.outcome == .queued, let referral = decision.referralID, let readable = order.order else {
      return nil
    }
    self.init(
      referralID: referral, transactionID: readable.transactionID, value: decision.value, metadata: readable.metadata)
  }
}
