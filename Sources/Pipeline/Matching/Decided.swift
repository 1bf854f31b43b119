import Conversions
import Logging

/// A decision with what stood before it, for the log. A batch holds thousands of these, and not the orders themselves.
struct Decided: Sendable {
  let orderID: String
  /// The decision before it; nil for an order that was never decided before.
  private let before: (outcome: Outcome, reason: String?)?
  let decision: Decision

  /// The first decision of an order that was just seen, or another one of an order that the ledger holds.
  init(orderID: String, before: LedgerOrder? = nil, decision: Decision) {
    self.orderID = orderID
    self.before = before.flatMap { $0.decidedAt == nil ? nil : ($0.outcome, $0.reason) }
    var decision = decision
    decision.candidates = []
    self.decision = decision
  }

  /// True if nothing but a full sweep is missing to say that there is no referral.
  var waitsForSweep: Bool { decision.reason == DecisionReason.mirrorIncomplete }

  /// True if it waits for a complete walk of the open referrals.
  var waitsForWalk: Bool { decision.reason == DecisionReason.mirrorBehind }

  /// True if it is another decision than the last one.
  var isOther: Bool { before.map { $0 != (decision.outcome, decision.reason) } ?? true }

  /// True for an order that was to be reported, and whose referral is not found any more.
  var hasLostReferral: Bool {
    guard let before, before.outcome == .held || before.outcome == .queued else { return false }
    return decision.referralID == nil && [.waiting, .noReferral, .outsideWindow].contains(decision.outcome)
  }

  /// True for an order that was to be reported, and that doesn't qualify any more.
  var isCancelledBeforeItsReport: Bool {
    guard let before, before.outcome == .held || before.outcome == .queued else { return false }
    return decision.outcome == .cancelled && decision.reason == DecisionReason.noLongerQualifies
  }

  /// True for an order that counts as reported by the API's word alone, as the ledger was restored or rebuilt.
  var isKnownByAPIAlone: Bool { decision.outcome == .reported && decision.reason == DecisionReason.evidenceAPI }

  func log(to log: Logger) {
    if let before, decision.outcome == before.outcome, decision.reason == before.reason { return }
    let (event, level): (JournalEvent, Logger.Level) =
      switch decision.outcome {
      case .queued: (.queued, .debug)
      case .held: (.matched, .debug)
      case .review: (.review, .error)
      case .superseded: (.superseded, .info)
      case .cancelled: (.cancelled, .info)
      case .reported: (.reported, .notice)
      default: (.matched, .trace)
      }
    let referral = decision.referralID.map { " for referral \($0)" } ?? ""
    let detail = decision.detail.map { ": \($0)" } ?? ""
    let words =
      isKnownByAPIAlone
      ? "counts as reported: the API has it\(referral) with our value, and the ledger knows nothing of that time"
      : "is \(decision.outcome.rawValue)\(referral)\(detail)"
    log.event(
      event, level, "order \(orderID) \(words)",
      ["order": orderID, "referral": decision.referralID?.text, "reason": decision.reason])
  }
}

extension PipelineContext {
  /// Logs decisions; before the first order that the API alone knows as reported, that the ledger lacks a time.
  func logChanges(_ decided: [Decided]) {
    if decided.contains(where: \.isKnownByAPIAlone), isCopyTold.raise() {
      log.event(
        .reported, .notice,
        "the ledger was restored or rebuilt, or is a copy that was put back: the API has reports of which it knows nothing. "
          + "Orders that operators held or discarded since stand as restore or rebuild said when it took them over; "
          + "where the former ledger could not be read, or the copy was put back by hand, say it again with `conversiond queue`",
        ["reason": DecisionReason.evidenceAPI])
    }
    for change in decided { change.log(to: log) }
    warn(ofCancellations: decided)
  }
}
