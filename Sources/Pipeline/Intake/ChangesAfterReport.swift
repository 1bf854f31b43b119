import Conversions
import Logging

/// A reported order whose row is not what was reported any more, for the log.
struct ChangedSince: Sendable {
  /// The most changes at once that are logged one by one; more are logged as a count.
  static let linesMax = 5

  private let orderID: String
  private let kind: ChangeAfterReport
  private let reported: String
  private let now: String

  /// Compares a reported order's row with its report and notes in the ledger what it comes to; nil where that is
  /// nothing new.
  ///
  /// - Throws: `LedgerFailure`.
  init?(
    of order: LedgerOrder, _ row: OrderRow, _ amounts: AmountRules, _ transaction: any LedgerTransaction
  ) throws {
    guard order.outcome == .reported, case .readable(let readable) = row else { return nil }
    let value = order.reportedValue
    let change = amounts.change(of: readable, reported: value)
    guard change != order.changedSince else { return nil }
    try transaction.noteChangedSince(order.entry, change)
    guard let change else { return nil }
    orderID = order.orderID
    kind = change
    reported = Self.text(value)
    now =
      switch (change, amounts.judge(readable.total)) {
      case (.cancelledSince, _), (.archived, _): readable.disqualification
      case (.amountChanged, .value(let cents)): "is \(Self.text(cents)) now"
      case (.amountChanged, .refused(_, let detail)): "is no amount to report now: \(detail)"
      }
  }

  /// Notes that a reported order's row is no order any more; nil where that is nothing new.
  ///
  /// - Throws: `LedgerFailure`.
  init?(absent order: LedgerOrder, as absence: RowSighting, _ transaction: any LedgerTransaction) throws {
    guard order.outcome == .reported, order.changedSince != .cancelledSince else { return nil }
    try transaction.noteChangedSince(order.entry, .cancelledSince)
    orderID = order.orderID
    kind = .cancelledSince
    reported = Self.text(order.reportedValue)
    now = absence == .excluded ? "is left out by orders.where now" : "has no row any more"
  }

  private static func text(_ cents: Int64?) -> String { cents.map(CentsText.text) ?? "no value" }

  /// Names orders for correction: a line each, or one for many.
  static func log(_ changes: [ChangedSince], to log: Logger) {
    guard changes.count <= linesMax else {
      let counts = ChangeAfterReport.allCases.compactMap { kind in
        let count = changes.count { $0.kind == kind }
        return count == 0 ? nil : "\(count) \(kind.rawValue)"
      }
      return log.event(
        .changedSince, .warning,
        "\(changes.count) orders changed after they were reported (\(counts.joined(separator: ", "))): if the shop has "
          + "edited so many, correct them in the partner dashboard; if not, is orders.total_unit or the mapping wrong? "
          + "`conversiond status` counts them and names the commands that list them")
    }
    for change in changes {
      log.event(
        .changedSince, .warning,
        "order \(change.orderID) was reported with \(change.reported) and \(change.now): correct it in the partner dashboard",
        ["order": change.orderID, "reason": change.kind.rawValue])
    }
  }
}
