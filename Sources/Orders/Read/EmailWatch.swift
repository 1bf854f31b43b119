import Conversions

/// Watches whether the values of the e-mail column are addresses, over the last orders that have one: a mapping that
/// holds names around them matches nothing, without an error.
struct EmailWatch {
  private static let ordersMax = 300
  private static let ordersMin = 10
  /// The share from which on it is the mapping's fault, and not a buyer's.
  private static let faultShare = 0.2

  private var faults: [OrderKey: EmailFault?] = [:]
  private var keys: [OrderKey] = []
  /// The warning; the same words for as long as it lasts.
  private(set) var warning: String?

  /// Takes in orders that were read. Each counts once, and a blank is no value.
  mutating func note(_ orders: [SeenOrder], _ mapping: OrderMapping) {
    guard let email = mapping.columns.email else { return }
    for seen in orders.suffix(Self.ordersMax) {
      guard case .readable(let order) = seen.row, order.email != nil || order.emailFault != nil,
        order.emailFault != .blank
      else { continue }
      if faults.updateValue(order.emailFault, forKey: order.key) == nil { keys.append(order.key) }
    }
    let surplus = max(0, keys.count - Self.ordersMax)
    for key in keys.prefix(surplus) { faults[key] = nil }
    keys.removeFirst(surplus)
    judge(email)
  }

  private mutating func judge(_ email: String) {
    let found = faults.values.compactMap(\.self)
    guard keys.count >= Self.ordersMin, Double(found.count) >= Self.faultShare * Double(keys.count) else {
      warning = nil
      return
    }
    guard warning == nil else { return }
    let most = EmailFault.allCases.max { one, other in
      found.count { $0 == one } < found.count { $0 == other }
    }
    warning =
      "orders.columns.email: \(found.count) of the last \(keys.count) orders with a value have no address there, and match "
      + "nothing by it" + (most.map { ", most of them \($0.words): \($0.advice(email))" } ?? "")
  }
}
