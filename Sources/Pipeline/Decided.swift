import Conversions
import Logging

/// A decision with what stood before it, for the log.
struct Decided: Sendable {
  let orderID: String
  /// Nil for an order that is decided as it is first seen.
  let before: LedgerOrder?
  let decision: Decision

  /// Whether nothing but a full sweep is missing to say that there is no referral.
  var waitsForSweep: Bool { decision.reason == DecisionReason.mirrorIncomplete }

  func log(to log: Logger) {
    guard before?.decidedAt == nil || decision.outcome != before?.outcome || decision.reason != before?.reason else {
      return
    }
    let (event, level): (Event, Logger.Level) =
      switch decision.outcome {
      case .queued: (.queued, .debug)
      case .held: (.matched, .debug)
      case .review: (.review, .error)
      case .superseded: (.superseded, .info)
      case .cancelled: (.cancelled, .info)
      default: (.matched, .trace)
      }
    let referral = decision.referralID.map { " for referral \($0)" } ?? ""
    let detail = decision.detail.map { ": \($0)" } ?? ""
    log.event(
      event, level, "order \(orderID) is \(decision.outcome.rawValue)\(referral)\(detail)",
      ["order": orderID, "referral": decision.referralID?.text, "reason": decision.reason])
  }
}
