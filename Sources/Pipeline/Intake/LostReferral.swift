import Conversions
import Logging

/// An order that was to be reported, and whose referral does not match its changed row any more, for the log.
struct LostReferral: Sendable {
  /// The most orders at once that are logged one by one, or named; more are logged as a count.
  static let linesMax = 5

  /// The change of the row that lost it.
  private enum Cause: Sendable {
    /// The column is empty, or holds no address that a person can have, as where a person was anonymised.
    case emptied(String)
    /// The column holds another value.
    case changed(String)
  }

  private let orderID: String
  private let referral: ReferralID
  private let cause: Cause

  /// Compares an order's changed row with its last decision; nil where it has its referral still, or the API lost that.
  ///
  /// - Parameters:
  ///   - order: The order with its changed row, and otherwise as it was last decided.
  ///   - decided: The decision on the changed row, beside the last one.
  ///   - candidates: The candidates of that decision.
  ///   - ledger: The ledger, before it stores that decision.
  /// - Throws: `LedgerFailure`.
  init?(
    of order: LedgerOrder, _ decided: Decided, among candidates: [Attribution.Candidate],
    _ ledger: any LedgerTransaction
  ) throws {
    guard decided.hasLostReferral, let lost = order.referralID, let row = order.order else { return nil }
    (orderID, referral) = (order.orderID, lost)
    if let same = candidates.first(where: { $0.referral.id == lost }) {
      guard same.verdict != .gone else { return nil }
      cause = .changed("time of placing")
      return
    }
    cause =
      switch try ledger.candidates(of: order.entry).first(where: { $0.referralID == lost })?.matchedBy {
      case .externalSourceID?:
        row.externalSourceID == nil ? .emptied("external_source_id") : .changed("external_source_id")
      case .email?, nil: row.hasNoBuyersAddress ? .emptied("e-mail") : .changed("e-mail")
      }
  }

  private var isEmptied: Bool { if case .emptied = cause { true } else { false } }

  private var words: String {
    switch cause {
    case .emptied(let column):
      "order \(orderID) has lost the \(column) by which its referral \(referral) was found, and waits for another: was it "
        + "anonymised before it was reported?"
    case .changed(let column):
      "order \(orderID)'s \(column) is another now: referral \(referral) does not match any more"
    }
  }

  /// Names the orders: a line each, or one for many.
  static func log(_ lost: [LostReferral], to log: Logger) {
    for isEmptied in [true, false] {
      let orders = lost.filter { $0.isEmptied == isEmptied }
      let level: Logger.Level = isEmptied ? .warning : .notice
      guard orders.count > linesMax else {
        for order in orders {
          log.event(
            .rowsMissing, level, order.words, ["order": order.orderID, "referral": order.referral.text])
        }
        continue
      }
      let names = orders.prefix(linesMax).map(\.orderID).joined(separator: ", ")
      let fate =
        isEmptied
        ? "have lost the e-mail or reference by which their referral was found, and wait for another: were they anonymised "
          + "before they were reported?"
        : "have another e-mail, reference or time of placing now: their referrals do not match any more"
      log.event(.rowsMissing, level, "\(orders.count) orders that were to be reported, \(names) among them, \(fate)")
    }
  }
}

extension Order {
  /// True if it has no address, or one of a domain that never is (RFC 2606), as some shops write in a person's place.
  fileprivate var hasNoBuyersAddress: Bool { email.map { $0.text.lowercased().hasSuffix(".invalid") } ?? true }
}
