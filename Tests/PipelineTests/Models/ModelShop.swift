import Conversions
import Synchronization

/// A shop's table of one range, read in pieces in the order in which its rows came, by the number of each row's
/// version.
final class ModelShop: OrderSource {
  struct State {
    var rows: [OrderKey: OrderRow] = [:]
    /// The transaction that wrote each row, counted from 1.
    var versions: [OrderKey: UInt64] = [:]
    var lastVersion: UInt64 = 0
    /// Another one is another table.
    var identity = "model"
    /// The order of the walk.
    var sequence: [OrderKey] = []
    var pageSize = 10
    /// Thrown by the next reads, one each.
    var failures: [any Error] = []
    /// Thrown by every read.
    var outage: OrderSourceFailure?
    /// The beginning of every piece that was asked for.
    var asked: [String?] = []
    /// The number of these that were to be read whole.
    var wholes = 0
    var rereads = 0
    /// The row that each order's last re-read showed; taken away by the send it was for.
    var shown: [String: OrderRow] = [:]
    /// Every value that an order ever had.
    var totals: [String: Set<Int64>] = [:]
    /// True if its clock is the daemon's host's.
    var isOnHost = false
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
      state.lastVersion += 1
      state.versions[row.key] = state.lastVersion
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

  func survey() async throws -> ShopSurvey {
    activity.begin()
    defer { activity.end() }
    return state.withLock { state in
      ShopSurvey(
        method: .versions, because: "it is a model", identity: state.identity, hasRecent: false, moment: moment(state))
    }
  }

  private func moment(_ state: State) -> SnapshotMoment {
    SnapshotMoment(
      readAt: state.isOnHost ? clock.now : clock.trueTime, horizon: state.lastVersion + 1, end: state.lastVersion + 1,
      isOnHost: state.isOnHost)
  }

  func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage {
    activity.begin()
    defer { activity.end() }
    return try state.withLock { state in
      state.asked.append(piece.from)
      if piece.isWhole { state.wholes += 1 }
      if let outage = state.outage { throw outage }
      if !state.failures.isEmpty { throw state.failures.removeFirst() }
      guard survey.identity == state.identity else {
        throw OrderSourceFailure(kind: .changed, message: "another table")
      }
      let start = piece.from.flatMap { Int($0) } ?? 0
      let keys = state.sequence.dropFirst(start).prefix(state.pageSize)
      let end = start + keys.count
      let mark = piece.isWhole ? 0 : piece.range.mark.flatMap { UInt64($0) } ?? 0
      let orders = keys.compactMap { key -> SeenOrder? in
        guard let row = state.rows[key], let version = state.versions[key], version >= mark else { return nil }
        return SeenOrder(row, isCovered: screen.coveredHorizon.map { version < $0 } ?? false)
      }
      return SweepPage(
        orders: orders, isWhole: piece.isWhole, next: end < state.sequence.count ? String(end) : nil,
        mark: String(state.lastVersion + 1), moment: moment(state))
    }
  }

  func recent(after position: String?, of survey: ShopSurvey, screen: OrderScreen) async throws -> RecentPage {
    throw OrderSourceFailure(kind: .other, message: "the model has no change columns")
  }

  func change() async throws { throw OrderSourceFailure(kind: .silent, message: "the model says nothing") }

  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    activity.begin()
    defer { activity.end() }
    let found = try state.withLock { state in
      state.rereads += 1
      if let outage = state.outage { throw outage }
      if !state.failures.isEmpty { throw state.failures.removeFirst() }
      var found: [OrderKey: RowSighting] = [:]
      for key in keys {
        guard let row = state.rows[key] else {
          found[key] = .gone
          continue
        }
        found[key] = .shown(row)
        if case .readable(let order) = row { state.shown[order.transactionID.text] = row }
      }
      return found
    }
    if let hook = state.withLock({ $0.onReread }) { for key in keys { await hook(key) } }
    return found
  }
}
