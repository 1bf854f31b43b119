import Conversions
import Ledger
import Synchronization

/// One life of the daemon's process, from a start to a crash: whatever it asks for after its end is answered with a
/// cancellation, and nothing that it does has an effect.
final class SimulatedLife: Sendable {
  private struct State {
    var isOver = false
    var waiting: [Int: @Sendable () -> Void] = [:]
    var number = 0
  }

  private let state = Mutex(State())
  /// As a process has one.
  let number: UInt64

  init(number: UInt64) { self.number = number }

  var isOver: Bool { state.withLock { $0.isOver } }

  func check() throws { if isOver { throw CancellationError() } }

  /// Ends it: all callers that wait for an answer are told.
  func end() {
    let waiting = state.withLock { state in
      state.isOver = true
      defer { state.waiting = [:] }
      return state.waiting.sorted { $0.key < $1.key }.map(\.value)
    }
    for tell in waiting { tell() }
  }

  /// Waits for an answer, or for the end, which is answered with `atEnd`; `ask` is given what to answer with, once.
  func answer<Value: Sendable>(
    atEnd: Value, _ ask: (_ answer: @escaping @Sendable (Value) -> Void) -> Void
  ) async -> Value {
    await withCheckedContinuation { continuation in
      let number = state.withLock { state -> Int? in
        guard !state.isOver else { return nil }
        state.number += 1
        state.waiting[state.number] = { continuation.resume(returning: atEnd) }
        return state.number
      }
      guard let number else { return continuation.resume(returning: atEnd) }
      ask { [self] value in
        let isWaiting = state.withLock { $0.waiting.removeValue(forKey: number) != nil }
        if isWaiting { continuation.resume(returning: value) }
      }
    }
  }
}

/// A ledger of one life.
struct SimulatedLedger: LedgerStore {
  let base: SQLiteLedger
  let life: SimulatedLife

  var changes: UInt64 { base.changes }

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) async throws -> Value {
    try life.check()
    let value = try await base.transaction { transaction in
      try life.check()
      return try body(transaction)
    }
    try life.check()
    return value
  }

  func knownKeys() async throws -> KnownKeys {
    try life.check()
    return try await base.knownKeys()
  }

  func size(foldingAbove limit: Int64) async throws -> Int64 { 0 }
}

/// A shop that one life reads.
struct SimulatedShop: OrderSource {
  let model: ModelShop
  let life: SimulatedLife
  /// True if orders are indeed read again: the rule that a proof switches off.
  var showsChanges = true
  let stale: StaleRows

  func survey() async throws -> ShopSurvey {
    try life.check()
    return try await model.survey()
  }

  func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage {
    try life.check()
    let page = try await model.sweep(piece, of: survey, screen: screen)
    stale.note(page.orders.map(\.row))
    return page
  }

  func recent(after position: String?, of survey: ShopSurvey, screen: OrderScreen) async throws -> RecentPage {
    try await model.recent(after: position, of: survey, screen: screen)
  }

  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    try life.check()
    let rows = try await model.orders(withKeys: keys)
    try life.check()
    return showsChanges ? rows : stale.rows(keys)
  }

  func change() async throws { try await model.change() }
}

/// The row that the sweep last showed of each order.
final class StaleRows: Sendable {
  private let rows = Mutex<[OrderKey: OrderRow]>([:])

  func note(_ seen: [OrderRow]) { rows.withLock { for row in seen { $0[row.key] = row } } }
  func rows(_ keys: [OrderKey]) -> [OrderKey: RowSighting] {
    rows.withLock { known in
      Dictionary(uniqueKeysWithValues: keys.map { key in (key, known[key].map { .shown($0) } ?? .gone) })
    }
  }
}
