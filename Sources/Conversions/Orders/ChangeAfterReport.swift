/// A change to an order after its report. The API has no way to take a report back: the partner dashboard has.
public enum ChangeAfterReport: String, Sendable, Codable, CaseIterable {
  /// It stopped qualifying, or its row is no order any more.
  case cancelledSince = "cancelled_since"
  /// Its total, or its currency, would be reported otherwise.
  case amountChanged = "amount_changed"
}

extension ChangeAfterReport {
  /// The least number of rows that are many.
  private static let manyMin = 3
  /// The part of all rows that were looked for from which on absent ones are many, as one in so many.
  private static let manyPart = 10

  /// Returns true if the rows that are newly absent mean so many cancelled orders: a few are deleted one by one, and
  /// many at once are an archive job, or another `orders.where`.
  public static func areCancelled(_ absent: Int, of looked: Int) -> Bool {
    absent < manyMin || absent * manyPart < looked
  }
}

extension AmountRules {
  /// Returns the change to a reported order, by what its row shows now.
  public func change(of order: Order, reported value: Int64?) -> ChangeAfterReport? {
    guard order.qualifies else { return .cancelledSince }
    return judge(order.total) == .value(value) ? nil : .amountChanged
  }
}
