public import Conversions

/// The amounts of the newest orders as they would be reported: a unit that is a hundred times too large is seen by a
/// person at once, and by no program.
struct ReportedAmounts {
  /// An order with its amount in cents.
  struct Valued {
    var order: Order
    var cents: Int64
  }

  /// Orders that would be reported with a value, the latest placed first.
  private(set) var valued: [Valued] = []
  /// Orders whose amount needs a person, with the reason in a sentence.
  private(set) var refused: [(order: Order, detail: String)] = []

  /// The number of orders that were judged.
  var count: Int { valued.count + refused.count }

  /// Judges the orders that qualify, or all where none does.
  init(of newest: NewestOrders, _ rules: AmountRules) {
    let orders = newest.seen.compactMap(\.order)
    let qualifying = orders.filter(\.qualifies)
    for order in qualifying.isEmpty ? orders : qualifying {
      switch rules.judge(order.total) {
      case .value(let cents?): valued.append(Valued(order: order, cents: cents))
      case .value(nil): break
      case .refused(_, let detail): refused.append((order, detail))
      }
    }
  }

  /// The newest, the smallest, the median and the largest, each in a sentence.
  var sentences: [String] {
    guard let newest = valued.first else { return [] }
    let sorted = valued.sorted { $0.cents < $1.cents }
    let places = [
      ("newest", newest), ("smallest", sorted[0]), ("median", sorted[sorted.count / 2]),
      ("largest", sorted[sorted.count - 1]),
    ]
    return places.map { name, valued in
      "the \(name) order would be reported as \(CentsText.text(valued.cents)): \(Self.place(of: valued.order))"
    }
  }

  /// An order's ID, time and masked address.
  static func place(of order: Order) -> String {
    let email = order.email.map { ", \($0.masked)" } ?? ""
    return "order \(order.transactionID), placed \(order.placedAt.earliest)\(email)"
  }
}

extension NewestOrders {
  /// The newest, the smallest, the median and the largest order as they would be reported, each in a sentence.
  public func amounts(_ rules: AmountRules) -> [String] { ReportedAmounts(of: self, rules).sentences }
}
