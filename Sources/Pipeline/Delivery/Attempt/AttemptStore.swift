import Conversions
import Synchronization

/// Stores the results of sends: all that have come by the time the ledger gets to it, in one transaction.
final class AttemptStore: Sendable {
  private struct Waiting: Sendable {
    let record: Attempt.Record
    let answer: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var waiting: [Waiting] = []
    /// True while a transaction was asked for that has not begun.
    var isAsked = false
  }

  /// The records that one transaction is for: those that have come when it first runs, though it may run again.
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
  private let context: PipelineContext

  init(_ context: PipelineContext) { self.context = context }

  /// Stores it durably, whether or not the task is cancelled meanwhile.
  ///
  /// - Throws: `LedgerFailure`.
  func store(_ record: Attempt.Record) async throws {
    try await withCheckedThrowingContinuation { answer in
      let isFirst = state.withLock { state in
        state.waiting.append(Waiting(record: record, answer: answer))
        defer { state.isAsked = true }
        return !state.isAsked
      }
      // Runs in a task of its own: the first caller's may be cancelled, and the others' not.
      if isFirst { Task(executorPreference: context.executor) { await self.storeAll() } }
    }
  }

  private func storeAll() async {
    let group = Group()
    do {
      try await context.ledger.transaction { transaction in
        for waiting in group.members(self.take) { try transaction.store(waiting.record) }
      }
      for waiting in group.members(take) { waiting.answer.resume() }
    } catch {
      // Stores each alone: one that can't be stored must not keep the others from it.
      for waiting in group.members(take) { await storeAlone(waiting) }
    }
  }

  private func storeAlone(_ waiting: Waiting) async {
    do {
      try await context.ledger.transaction { try $0.store(waiting.record) }
      waiting.answer.resume()
    } catch {
      waiting.answer.resume(throwing: error)
    }
  }

  /// Takes the waiting records: one that comes from now on asks for another transaction.
  private func take() -> [Waiting] {
    state.withLock { state in
      defer { state = State() }
      return state.waiting
    }
  }
}

extension LedgerTransaction {
  fileprivate func store(_ ended: Attempt.Record) throws {
    try finishSend(
      ended.entry, ended.report, attempt: ended.attempt, result: ended.result, at: ended.at)
    // Records the referral: the rivals of an order that lost it to another program must not be sent after it.
    if let shown = ended.shown { _ = try record(shown, seenAt: ended.at) }
    if let halt = ended.halt { try haltSending(halt) }
  }
}
