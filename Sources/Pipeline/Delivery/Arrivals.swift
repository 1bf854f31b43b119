import Conversions
import Synchronization

/// Stores what came of sends: whatever has come by the time the ledger gets to it, in one transaction.
final class Arrivals: Sendable {
  private struct Waiting: Sendable {
    let arrival: Arrival
    let answer: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var waiting: [Waiting] = []
    /// Whether a transaction was asked for that has not begun.
    var isAsked = false
  }

  /// What one transaction is for: whoever has come when it first runs, though it may run again.
  private final class Group: Sendable {
    private let members = Mutex<[Waiting]?>(nil)

    func members(_ taken: () -> [Waiting]) -> [Waiting] {
      members.withLock { members in
        let group = members ?? taken()
        members = group
        return group
      }
    }
  }

  private let state = Mutex(State())
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// Stores it durably, whether or not the task is cancelled meanwhile.
  ///
  /// - Throws: `LedgerFailure`.
  func store(_ arrival: Arrival) async throws {
    try await withCheckedThrowingContinuation { answer in
      let isFirst = state.withLock { state in
        state.waiting.append(Waiting(arrival: arrival, answer: answer))
        defer { state.isAsked = true }
        return !state.isAsked
      }
      // Nobody's own task: the one who came first may be cancelled, and the others not.
      if isFirst { Task(executorPreference: surroundings.executor) { await self.storeAll() } }
    }
  }

  private func storeAll() async {
    let group = Group()
    do {
      try await surroundings.ledger.transaction { transaction in
        for waiting in group.members(self.take) { try transaction.store(waiting.arrival) }
      }
      for waiting in group.members(take) { waiting.answer.resume() }
    } catch {
      // One that can't be stored must not keep the others from it.
      for waiting in group.members(take) { await storeAlone(waiting) }
    }
  }

  private func storeAlone(_ waiting: Waiting) async {
    do {
      try await surroundings.ledger.transaction { try $0.store(waiting.arrival) }
      waiting.answer.resume()
    } catch {
      waiting.answer.resume(throwing: error)
    }
  }

  /// Whoever comes from now on asks for another transaction.
  private func take() -> [Waiting] {
    state.withLock { state in
      defer { state = State() }
      return state.waiting
    }
  }
}

/// What came of a send, as it is stored.
struct Arrival: Sendable {
  let entry: EntryID
  let report: ConversionReport
  let attempt: Attempt
  let result: SendResult
  /// The referral as the API showed it, where it was asked.
  let shown: Referral?
  /// Why nothing more is to be sent, where it says so.
  let halt: LaneHalt?
  /// Wall-clock time.
  let at: Timestamp
}

extension LedgerTransaction {
  fileprivate func store(_ arrival: Arrival) throws {
    try finishSend(
      arrival.entry, arrival.report, attempt: arrival.attempt, result: arrival.result, at: arrival.at)
    // The rivals of an order that lost its referral to another program must not be sent after it.
    if let shown = arrival.shown { _ = try record(shown, seenAt: arrival.at) }
    if let halt = arrival.halt { try haltLane(halt) }
  }
}
