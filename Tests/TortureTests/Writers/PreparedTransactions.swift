/// The transactions that are prepared and not yet ended, for any session to end.
actor PreparedTransactions {
  struct Pending: Sendable {
    let id: String
    let commits: Bool
    /// Not to be ended before this.
    let from: ContinuousClock.Instant
  }

  /// Fewer than `max_prepared_transactions`, with room for those under way.
  static let max = 40
  static let serverMax = 64

  private var pending: [Pending] = []
  private var number = 0

  /// A name for one more; nil while there are too many.
  func reserve() -> String? {
    guard pending.count < Self.max else { return nil }
    number += 1
    return "torture-\(number)"
  }

  func add(_ transaction: Pending) { pending.append(transaction) }

  /// Takes one that is due, in no particular order.
  func takeDue() -> Pending? {
    let now = ContinuousClock.now
    return pending.firstIndex { $0.from <= now }.map { pending.remove(at: $0) }
  }
}
