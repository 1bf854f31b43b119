import Conversions
import Orders
import Synchronization

/// The shop's own source, with every sweep counted, and one that can be kept back before it begins.
final class WatchedSource: OrderSource {
  private struct State {
    var calls = 0
    var swept = 0
    var sweptSizes: [Int] = []
    var costs: [Duration] = []
    var isStopped: (@Sendable (SweepPiece) -> Bool)?
    var stopped: SweepPiece?
    var seen: [SweepPiece] = []
  }

  private let base: ShopOrders
  private let state = Mutex(State())

  init(_ base: ShopOrders) { self.base = base }

  /// The number of pieces that were read.
  var sweptCount: Int { state.withLock { $0.swept } }
  /// The number of times the shop was asked, with success or not.
  var calls: Int { state.withLock { $0.calls } }
  /// The duration of each transaction that read a piece or recent changes.
  var costs: [Duration] { state.withLock { $0.costs } }
  /// The number of orders that each piece brought.
  var sweptSizes: [Int] { state.withLock { $0.sweptSizes } }
  /// The piece that is kept back before it is read.
  var stopped: SweepPiece? { state.withLock { $0.stopped } }

  /// Keeps back the next piece that fits, until `release`.
  func stop(before isStopped: @escaping @Sendable (SweepPiece) -> Bool) {
    state.withLock { $0.isStopped = isStopped }
  }

  func release() { state.withLock { ($0.isStopped, $0.stopped) = (nil, nil) } }

  func survey() async throws -> ShopSurvey {
    state.withLock { $0.calls += 1 }
    return try await base.survey()
  }

  func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage {
    while state.withLock({ state in
      guard let isStopped = state.isStopped, isStopped(piece) else { return false }
      state.stopped = piece
      return true
    }) { try await Task.sleep(for: .milliseconds(5)) }
    state.withLock { $0.calls += 1 }
    let page = try await base.sweep(piece, of: survey, screen: screen)
    state.withLock { state in
      state.swept += 1
      state.sweptSizes.append(page.orders.count)
      state.costs.append(page.cost)
    }
    return page
  }

  func recent(after position: String?, of survey: ShopSurvey, screen: OrderScreen) async throws -> RecentPage {
    let page = try await base.recent(after: position, of: survey, screen: screen)
    state.withLock { $0.costs.append(page.cost) }
    return page
  }

  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    try await base.orders(withKeys: keys)
  }

  func change() async throws { try await base.change() }
}
