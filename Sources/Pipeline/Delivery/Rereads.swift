import Conversions
import Synchronization

/// Reads orders again by their keys, those that are asked for together in one read: whoever asks while a read is under
/// way is served by the next one, so that nobody is shown what was read before he asked.
final class Rereads: Sendable {
  /// The most orders that one read is for.
  private static let readMax = 100

  private typealias Answer = CheckedContinuation<OrderRow?, any Error>

  private struct State {
    var waiting: [(key: OrderKey, answer: Answer)] = []
    var isReading = false
  }

  private let state = Mutex(State())
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// An order as the shop shows it now; nil for one that is gone.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  func row(_ key: OrderKey) async throws -> OrderRow? {
    try Task.checkCancellation()
    let row: OrderRow? = try await withCheckedThrowingContinuation { answer in
      let isFirst = state.withLock { state in
        state.waiting.append((key, answer))
        defer { state.isReading = true }
        return !state.isReading
      }
      // Nobody's own task: the one who asked first may be cancelled, and the others not.
      if isFirst { Task(executorPreference: surroundings.executor) { await self.readAll() } }
    }
    try Task.checkCancellation()
    return row
  }

  private func readAll() async {
    while true {
      let asked = state.withLock { state in
        let asked = Array(state.waiting.prefix(Self.readMax))
        state.waiting.removeFirst(asked.count)
        if asked.isEmpty { state.isReading = false }
        return asked
      }
      guard !asked.isEmpty else { return }
      do {
        let rows = try await surroundings.orders.orders(withKeys: asked.map(\.key))
        for (key, answer) in asked { answer.resume(returning: rows[key]) }
      } catch {
        for (_, answer) in asked { answer.resume(throwing: error) }
      }
    }
  }
}
