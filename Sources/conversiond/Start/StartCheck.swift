import Configuration
import Conversions
import Ledger
import Orders
import Pipeline

/// Looks, before another `orders.start` is taken, whether it reaches back to orders that a changed mapping left behind:
/// under other IDs they would be reported again, or against an operator's decision.
struct StartCheck {
  /// The most orders that are looked for in the shop's table.
  static let looksMax = 50

  private let start: Intake.Start
  private let isKnown: Bool
  private let left: [SpokenForOrder]

  init(_ configuration: Configuration, _ left: OrdersLeftBehind) {
    start = configuration.intakeStart
    isKnown = left.start == nil || left.start == configuration.startText
    self.left = left.orders
  }

  /// - Throws: `CommandFailure` 78 where such orders would be taken in.
  func run(_ orders: ShopOrders) async throws {
    if let refusal = await refusal(orders) { throw CommandFailure(.configuration, refusal) }
  }

  /// Returns the words with which a start refuses; nil where it doesn't. A start without a date of its own is never
  /// refused: it takes in nothing from before the mapping.
  func refusal(_ orders: ShopOrders) async -> String? {
    guard !isKnown, let time = start.time else { return nil }
    let reached = left.filter { $0.placedAt >= time }
    guard let newest = reached.first, await !Self.areShown(reached, orders) else { return nil }
    let count = reached.count == Self.looksMax ? "\(reached.count) or more" : "\(reached.count)"
    return
      "orders.start reaches back to \(count) orders that were reported or discarded, or that an operator holds, before "
      + "another mapping was accepted, and the shop's table does not show them under their order IDs: taken as new orders "
      + "they would be reported again. The newest is \(newest.transactionID), placed at \(newest.placedAt): set "
      + "orders.start to \(newest.placedAt + .seconds(1)) or later, or put it back"
  }

  /// Returns true if the table shows one of these orders, at least, under its ID.
  static func areShown(_ spokenFor: [SpokenForOrder], _ orders: ShopOrders) async -> Bool {
    let rows = (try? await orders.orders(withKeys: spokenFor.map { OrderKey($0.key) })) ?? [:]
    return spokenFor.contains { rows[OrderKey($0.key)]?.row?.transactionID == $0.transactionID }
  }
}

extension Intake.Start {
  /// The time that it names itself; nil for one that is found at a start.
  var time: Timestamp? {
    switch self {
    case .everything: Timestamp(microseconds: .min)
    case .from(let time): time
    case .oldestOpenReferral, .firstStart: nil
    }
  }
}
