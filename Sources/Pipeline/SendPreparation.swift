import Conversions

/// What to do with a queued order once everything about it was looked at again, right before its send.
enum SendPreparation: Sendable {
  /// Send this.
  case send(LedgerOrder, ConversionReport)
  /// Not this one: it was decided anew, or is another loop's now.
  case dropped
  /// Not now.
  case postponed
  /// It may have been done, and should not have been if it wasn't: ask the API.
  case settleUnknown(LedgerOrder, FrozenReport)
}

/// The API refused a look before a send in a way that only a person can change: nothing is sent, to nobody.
struct LaneRefusal: Error {
  let reason: HaltReason
  let detail: String
}

extension ConversionReport {
  /// The report that a decision would have an order sent with; nil where it would have none sent.
  init?(of order: LedgerOrder, _ decision: Decision) {
    guard decision.outcome == .queued else { return nil }
    var decided = order
    (decided.referralID, decided.value) = (decision.referralID, decision.value)
    self.init(of: decided)
  }

  /// The report of an order that was never frozen; nil while it has no referral or can't be read.
  init?(of order: LedgerOrder) {
    guard let referral = order.referralID, let readable = order.order else { return nil }
    self.init(
      referralID: referral, transactionID: readable.transactionID, value: order.value, metadata: readable.metadata)
  }
}
