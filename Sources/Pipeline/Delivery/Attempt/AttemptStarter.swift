import Conversions
import Synchronization

/// Does the last things before a send: asks the shop for the order again, freezes its report and marks it as being
/// sent, durably. Orders that wait for this together share one read and one transaction; one that comes while a read is
/// under way gets the next one, so that none is shown what was read before it asked.
final class AttemptStarter: Sendable {
  /// The most orders that one read is for.
  private static let groupMax = 128

  private struct Waiting: Sendable {
    let answered: ReferralQuestion.Answered
    let mark: CancellationMark
    let answer: CheckedContinuation<AttemptStart, any Error>
  }

  /// A mark that is set once the waiting task is cancelled.
  private final class CancellationMark: Sendable { let isSet = Atomic(false) }

  private struct State {
    var waiting: [Waiting] = []
    var isReading = false
    var others = OtherRows()
    /// The task that marks those that were read last.
    var marking: Task<Void, Never>?
  }

  private let state = Mutex(State())
  private let context: PipelineContext
  private let rules: AttributionRules

  init(_ context: PipelineContext, rules: AttributionRules) {
    (self.context, self.rules) = (context, rules)
  }

  /// Starts the send of an order that was looked at, or says why not. A caller that is cancelled before its send is
  /// marked leaves the ledger as it was; what is marked is returned, cancelled or not.
  ///
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  func start(_ answered: ReferralQuestion.Answered) async throws -> AttemptStart {
    try Task.checkCancellation()
    let mark = CancellationMark()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { answer in
        let isFirst = state.withLock { state in
          state.waiting.append(Waiting(answered: answered, mark: mark, answer: answer))
          defer { state.isReading = true }
          return !state.isReading
        }
        // Runs in a task of its own: the first caller's may be cancelled, and the others' not.
        if isFirst { Task(executorPreference: context.executor) { await self.readAll() } }
      }
    } onCancel: {
      mark.isSet.store(true, ordering: .relaxed)
    }
  }

  private func readAll() async {
    while let group = nextGroup() {
      do {
        let rows = try await context.orders.orders(withKeys: group.map(\.answered.order.row.key))
        try await noteOthers(beside: group, rows)
        // Reads the next group while this one is being marked, and not those behind it: what is read long before it is
        // marked is old, and orders that wait meanwhile share a read with more.
        await state.withLock(\.marking)?.value
        let marking = Task(executorPreference: context.executor) { await self.begin(group, rows) }
        state.withLock { $0.marking = marking }
      } catch {
        for waiting in group { waiting.answer.resume(throwing: error) }
      }
    }
  }

  /// Notes the missing rows of other orders in the ledger, before a missing one of this group is judged.
  private func noteOthers(beside group: [Waiting], _ rows: [OrderKey: RowSighting]) async throws {
    var others = state.withLock(\.others)
    let shown = group.map { ($0.answered.order, rows[$0.answered.order.row.key]) }
    let (missing, there) = try await others.look(beside: shown, context)
    state.withLock { [others] in $0.others = others }
    guard !missing.isEmpty || !there.isEmpty else { return }
    let now = context.clock.now
    try await context.ledger.transaction { transaction in
      for entry in missing { _ = try transaction.noteMissing(entry, at: now) }
      try transaction.forgetMisses(there)
    }
  }

  /// Takes those that wait now; nil for none, after which the next caller has to begin reading.
  private func nextGroup() -> [Waiting]? {
    state.withLock { state in
      let group = Array(state.waiting.prefix(Self.groupMax))
      state.waiting.removeFirst(group.count)
      state.isReading = !group.isEmpty
      return group.isEmpty ? nil : group
    }
  }

  private func begin(_ group: [Waiting], _ rows: [OrderKey: RowSighting]) async {
    let going = group.filter { waiting in
      guard waiting.mark.isSet.load(ordering: .relaxed) else { return true }
      waiting.answer.resume(throwing: CancellationError())
      return false
    }
    do {
      let starts = try await starts(of: going.map(\.answered), rows)
      for (waiting, start) in zip(going, starts) { waiting.answer.resume(returning: start) }
    } catch let failure as LedgerFailure where failure.mayBeKept {
      // Fails all, although marks may be kept: a caller that failed has the ledger look for such marks.
      for waiting in going { waiting.answer.resume(throwing: failure) }
    } catch {
      // Starts each alone: one that can't go must not hold up the others.
      for waiting in going { await beginAlone(waiting, rows) }
    }
  }

  private func beginAlone(_ waiting: Waiting, _ rows: [OrderKey: RowSighting]) async {
    do {
      for start in try await starts(of: [waiting.answered], rows) {
        waiting.answer.resume(returning: start)
      }
    } catch {
      waiting.answer.resume(throwing: error)
    }
  }

  private func starts(
    of answers: [ReferralQuestion.Answered], _ rows: [OrderKey: RowSighting]
  ) async throws -> [AttemptStart] {
    let (rules, now, uptime) = (rules, context.clock.now, context.clock.uptime)
    let isConfirmed = context.clock.isConfirmed
    return try await context.ledger.transaction { transaction in
      let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      return try answers.map { answered in
        let order = answered.order
        // An answer that is older justifies no first send.
        guard order.mayHaveBeenDone || uptime - answered.askedAt <= ReferralQuestion.answerLasts else {
          return .stays(.changed(order))
        }
        let sighting = rows[order.row.key] ?? .unproven("the shop was not asked")
        let beforeSend = try FreezeReport(ledger: transaction, decider: decider).freeze(order, sighting)
        guard case .send(let order, let report) = beforeSend else { return .stays(beforeSend) }
        let number = try transaction.beginSend(order.entry, report, at: now)
        return .goes(Attempt.Started(order: order, report: report, number: number, startedAt: now))
      }
    }
  }
}

/// The result of a start.
enum AttemptStart: Sendable {
  /// Its report is frozen, and its send marked: it must be sent.
  case goes(Attempt.Started)
  /// Nothing is to be sent, or something to be looked at first; never `BeforeSend.send`.
  case stays(BeforeSend)
}

extension LedgerFailure {
  /// True if it may be the commit's, which the disk may have kept all the same: a sync that failed after the write.
  fileprivate var mayBeKept: Bool {
    switch kind {
    case .diskFull, .io, .permission, .locked, .damaged: true
    default: false
    }
  }
}
