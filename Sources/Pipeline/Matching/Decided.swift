import Conversions
import Logging

/// A decision with what stood before it, for the log. A batch holds thousands of these, and not the orders themselves.
struct Decided: Sendable {
  let orderID: String
  /// The decision before it; nil for an order that was never decided before.
  private let before: (outcome: Outcome, reason: String?, referral: ReferralID?)?
  let decision: Decision
  /// The amount to report, or the order's own where nothing is to be reported.
  let amount: OrderAmount?

  /// The first decision of an order that was just seen.
  init(_ row: OrderRow, decision: Decision, amounts: AmountRules) {
    self.init(orderID: row.orderID, before: nil, decision, decision.amount ?? row.amount(by: amounts))
  }

  /// Another decision of an order that the ledger holds; without rules on amounts it has the decision's amount only.
  init(before order: LedgerOrder, decision: Decision, amounts: AmountRules? = nil) {
    self.init(
      orderID: order.orderID,
      before: order.decidedAt == nil ? nil : (order.outcome, order.reason, order.referralID), decision,
      decision.amount ?? amounts.flatMap { order.row.amount(by: $0) })
  }

  private init(
    orderID: String, before: (outcome: Outcome, reason: String?, referral: ReferralID?)?, _ decision: Decision,
    _ amount: OrderAmount?
  ) {
    (self.orderID, self.before, self.amount) = (orderID, before, amount)
    var decision = decision
    decision.candidates = []
    self.decision = decision
  }

  /// True if nothing but a full sweep is missing to say that there is no referral.
  var waitsForSweep: Bool { decision.reason == DecisionReason.mirrorIncomplete }

  /// True if it waits for a complete walk of the open referrals.
  var waitsForWalk: Bool { decision.reason == DecisionReason.mirrorBehind }

  /// True if it is another decision than the last one.
  var isOther: Bool { before.map { ($0.outcome, $0.reason) != (decision.outcome, decision.reason) } ?? true }

  /// True if it is worth a line: another decision than the last one, or for another referral.
  var isNews: Bool { isOther || before?.referral != decision.referralID }

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

  /// Logs it as one line about its order.
  func log(to log: Logger) {
    let former = before.map { "; before: \($0.outcome.rawValue)" + ($0.reason.map { ", \($0)" } ?? "") } ?? ""
    log.event(
      event, level, "order \(orderID) \(words)\(former)",
      [
        "order": orderID, "referral": decision.referralID?.text, "value": amount.map { String($0.cents) },
        "currency": amount?.currency, "outcome": decision.outcome.rawValue, "reason": decision.reason,
        "next_try": decision.lookAgainAt?.description,
      ])
  }

  private var event: JournalEvent {
    switch decision.outcome {
    case .queued: .queued
    case .held: before?.referral == decision.referralID ? .decided : .matched
    case .review: .review
    case .superseded: .superseded
    case .cancelled: .cancelled
    case .reported: .reported
    case .notQualifying, .waiting, .sending, .noReferral, .outsideWindow, .discarded: .decided
    }
  }

  private var level: Logger.Level {
    switch decision.outcome {
    case .review: .error
    case .reported: .notice
    default: .info
    }
  }

  /// The decision as a sentence goes on after the order's name.
  private var words: String {
    let referral = decision.referralID.map { " for referral \($0)" } ?? ""
    let worth = amount.map { ", \($0.text)" } ?? ""
    let because = decision.detail.map { ": \($0)" } ?? ""
    switch decision.outcome {
    case .queued: return "is to be reported\(referral)\(worth)\(because)"
    case .sending: return "is being sent\(referral)\(worth)"
    case .held: return "is held\(referral)\(worth)\(because)"
    case .waiting: return "waits\(worth): \(decision.detail ?? "no referral is known to match it yet")"
    case .notQualifying: return "does not qualify yet\(worth)\(because)"
    case .noReferral: return "has no referral\(worth): none matched for as long as orders wait"
    case .outsideWindow: return "has no referral\(worth): those that match were made after it, or too long before it"
    case .superseded: return "is not reported\(worth)\(because)"
    case .cancelled: return "is cancelled\(because)"
    case .discarded: return "is discarded by an operator\(worth)\(because)"
    case .review: return "needs a person\(because)"
    case .reported:
      return isKnownByAPIAlone
        ? "counts as reported: the API has it\(referral) with our value, and the ledger knows nothing of that time"
        : "is reported\(referral)\(worth)\(because)"
    }
  }
}

extension Decision {
  /// The amount to report.
  fileprivate var amount: OrderAmount? { value.map { OrderAmount(cents: $0) } }
}

extension OrderRow {
  /// Returns the order's amount in its own currency.
  fileprivate func amount(by rules: AmountRules) -> OrderAmount? {
    if case .readable(let order) = self { rules.amount(of: order.total) } else { nil }
  }
}

extension PipelineContext {
  /// Logs decisions, many of them as counts; before the first order that the API alone knows as reported, that the ledger lacks a time.
  func logChanges(_ decided: [Decided]) {
    if decided.contains(where: \.isKnownByAPIAlone), isCopyTold.raise() {
      log.event(
        .reported, .notice,
        "the ledger was restored or rebuilt, or is a copy that was put back: the API has reports of which it knows nothing. "
          + "Orders that operators held or discarded since stand as restore or rebuild said when it took them over; "
          + "where the former ledger could not be read, or the copy was put back by hand, say it again with `conversiond queue`",
        ["reason": DecisionReason.evidenceAPI])
    }
    for change in decided where change.isNews {
      if decisionLines.mayWrite(change.decision.outcome, at: clock.uptime, log: log) { change.log(to: log) }
    }
    warn(ofCancellations: decided)
  }
}
