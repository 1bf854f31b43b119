/// A change to an order after its report. The API has no way to take a report back: the partner dashboard has.
public enum ChangeAfterReport: String, Sendable, Codable, CaseIterable {
  /// It stopped qualifying, or its row is no order any more.
  case cancelledSince = "cancelled_since"
  /// Its total, or its currency, would be reported otherwise.
  case amountChanged = "amount_changed"
  /// Its row is absent, as those of its age are, or of many at once: taken for archived, and for no change.
  case archived

  /// True if a person is to correct it in the partner dashboard.
  public var needsCorrection: Bool { self != .archived }
}

extension AmountRules {
  /// Returns the change to a reported order, by what its row shows now.
  public func change(of order: Order, reported value: Int64?) -> ChangeAfterReport? {
    guard order.qualifies else { return .cancelledSince }
    return judge(order.total) == .value(value) ? nil : .amountChanged
  }
}
