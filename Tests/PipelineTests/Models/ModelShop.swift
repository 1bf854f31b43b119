import Conversions
import Synchronization

/// A shop's table, walked in pages in the order in which its rows came.
final class ModelShop: OrderSource {
  struct State {
    var rows: [OrderKey: OrderRow] = [:]
    /// The order of the walk.
    var sequence: [OrderKey] = []
    var pageSize = 10
    /// Thrown by the next reads, one each.
    var failures: [any Error] = []
    /// Thrown by every read.
    var outage: OrderSourceFailure?
    /// The position of every page that was asked for.
    var asked: [String?] = []
    var rereads = 0
    /// What each order's last re-read showed; taken away by the send it was for.
    var shown: [String: OrderRow] = [:]
    /// Every value that an order ever had.
    var totals: [String: Set<Int64>] = [:]
    var onReread: (@Sendable (OrderKey) async -> Void)?
  }

  let state = Mutex(State())
  private let activity: Activity
  private let clock: VirtualClock

  init(_ activity: Activity, _ clock: VirtualClock) {
    self.activity = activity
    self.clock = clock
  }

  func put(_ row: OrderRow) {
    state.withLock { state in
      if state.rows.updateValue(row, forKey: row.key) == nil { state.sequence.append(row.key) }
      guard case .readable(let order) = row, let cents = order.total.amountText.flatMap({ Int64($0) }) else { return }
      state.totals[order.transactionID.text, default: []].insert(cents)
    }
  }

  func put(_ order: Order) { put(.readable(order)) }

  func change(_ key: OrderKey, _ change: (inout Order) -> Void) {
    guard case .readable(var order)? = state.withLock({ $0.rows[key] }) else { return }
    change(&order)
    put(order)
  }

  func remove(_ key: OrderKey) {
    state.withLock { state in
      state.rows[key] = nil
      state.sequence.removeAll { $0 == key }
    }
  }

  func page(of lane: IntakeLane, after position: IntakePosition?) async throws -> OrderPage {
    activity.begin()
    defer { activity.end() }
    return try state.withLock { state in
      state.asked.append(position?.text)
      if let outage = state.outage { throw outage }
      if !state.failures.isEmpty { throw state.failures.removeFirst() }
      let start = position.flatMap { Int($0.text) } ?? 0
      let keys = state.sequence.dropFirst(start).prefix(state.pageSize)
      let end = start + keys.count
      let endsWalk = end >= state.sequence.count
      return OrderPage(
        rows: keys.compactMap { state.rows[$0] }, position: IntakePosition(endsWalk ? "0" : String(end)),
        endsWalk: endsWalk, readAt: clock.now)
    }
  }

  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: OrderRow] {
    activity.begin()
    defer { activity.end() }
    let found = try state.withLock { state in
      state.rereads += 1
      if let outage = state.outage { throw outage }
      if !state.failures.isEmpty { throw state.failures.removeFirst() }
      var found: [OrderKey: OrderRow] = [:]
      for key in keys {
        guard let row = state.rows[key] else { continue }
        found[key] = row
        if case .readable(let order) = row { state.shown[order.transactionID.text] = row }
      }
      return found
    }
    if let hook = state.withLock({ $0.onReread }) { for key in keys { await hook(key) } }
    return found
  }
}
