import Conversions
import Ledger
import Synchronization

extension World {
  /// Checks every report at the moment of its sending against what the ledger already holds, and the shop's last
  /// re-read; faults are collected in `api.state.violations`.
  func checkSends(on ledger: WatchedLedger? = nil) {
    let (api, shop, ledger) = (api, shop, ledger ?? self.ledger)
    let check: @Sendable (ConversionReport) async -> Void = { report in
      let id = report.transactionID.text
      let entry = try? await ledger.base.transaction { transaction in
        try transaction.entries(EntryFilter(outcomes: [.sending], limit: 1000)).first { $0.orderID == id }
      }
      guard let order = entry else { return api.violate("\(id) is sent and not marked as being sent") }
      if order.frozen?.report != report { api.violate("\(id) is sent with other bytes than were frozen") }
      guard case .readable(let shown)? = shop.state.withLock({ $0.shown.removeValue(forKey: id) }) else {
        return api.violate("\(id) is sent without a re-read")
      }
      if !shown.qualifies { api.violate("\(id) is sent although it does not qualify") }
      let hasDoubt = order.frozen?.hasUnknownOutcome == true
      if !hasDoubt, report.value != shown.total.amountText.flatMap({ Int64($0) }) {
        api.violate("\(id) is sent with another value than it has")
      }
    }
    api.state.withLock { $0.onConvert = check }
  }

  /// Makes another program report a conversion while ours is on its way.
  func convertElsewhereAtTheSend(_ id: String, value: Int64? = 1) {
    let api = api
    api.state.withLock { state in
      let check = state.onConvert
      state.onConvert = { report in
        api.convertElsewhere(id, value: value)
        await check?(report)
      }
    }
  }

  var violations: [String] { api.state.withLock { $0.violations } }
  var sent: [ConversionReport] { api.state.withLock { $0.sent } }
  var done: [ConversionReport] { api.state.withLock { $0.done } }
}
