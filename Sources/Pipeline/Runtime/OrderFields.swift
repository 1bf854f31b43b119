import Conversions
import Logging
import Synchronization

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
    guard putOffs.isNews(order.entry, reason), order.reason != reason,
      decisionLines.mayWrite(.queued, at: clock.uptime, log: log)
    else { return }
    log.event(
      .deferred, .info, "order \(order.orderID) is put off: \(detail)", order.fields(reason: reason, nextTry: time))
  }
}

/// Remembers the reason for which each order was last put off: an order that is tried all day is decided anew before each
/// try, and its ledger's entry tells no longer that it was.
public final class PutOffs: Sendable {
  /// The most orders that are remembered: then all are forgotten, and told once more.
  private static let ordersMax = 10_000

  private let reasons = Mutex<[EntryID: String]>([:])

  /// Begins without an order.
  public init() {}

  /// Returns true if an order was not put off for this reason last.
  func isNews(_ entry: EntryID, _ reason: String) -> Bool {
    reasons.withLock { reasons in
      if reasons.count >= Self.ordersMax { reasons = [:] }
      return reasons.updateValue(reason, forKey: entry) != reason
    }
  }

  /// Forgets an order that is done with.
  func forget(_ entry: EntryID) { reasons.withLock { _ = $0.removeValue(forKey: entry) } }
}
