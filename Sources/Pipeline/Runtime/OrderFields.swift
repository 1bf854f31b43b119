import Conversions
import Logging

extension LedgerOrder {
  /// Returns the fields of a line about it, by which `journalctl CONVERSIOND_ORDER=` tells its story.
  func fields(reason: String?, nextTry: Timestamp? = nil) -> [String: String?] {
    let report = frozen?.report
    let fields = ConversionReport.fields(report?.referralID ?? referralID, value: reportedValue)
    return fields.merging(["order": orderID, "reason": reason, "next_try": nextTry?.description]) { $1 }
  }
}

extension ConversionReport {
  /// The fields that a line about it has, beside those of its order.
  var fields: [String: String?] { Self.fields(referralID, value: value) }

  fileprivate static func fields(_ referral: ReferralID?, value: Int64?) -> [String: String?] {
    ["referral": referral?.text, "value": value.map { String($0) }, "currency": value == nil ? nil : "EUR"]
  }
}

extension PipelineContext {
  /// Logs that an order which is to be sent waits for another reason than before.
  func logPutOff(_ order: LedgerOrder, reason: String, _ detail: String, until time: Timestamp) {
    guard order.reason != reason, decisionLines.mayWrite(.queued, at: clock.uptime, log: log) else { return }
    log.event(
      .deferred, .info, "order \(order.orderID) is put off: \(detail)", order.fields(reason: reason, nextTry: time))
  }
}
