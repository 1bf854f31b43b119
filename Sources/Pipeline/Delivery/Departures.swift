import Conversions
import Synchronization

/// The last things before a send: the shop is asked for the order again, and its report is frozen and marked as being
/// sent, durably. Orders that wait for this together share one read and one transaction; whoever comes while a read is
/// under way is served by the next one, so that nobody is shown what was read before he asked.
final class Departures: Sendable {
  /// The most orders that one read is for.
  private static let groupMax = 128

  private struct Waiting: Sendable {
    let answered: ReferralQuestion.Answered
    let mark: CancellationMark
    let answer: CheckedContinuation<Departure, any Error>
  }

  /// Whether nobody waits any more.
  private final class CancellationMark: Sendable { let isSet = Atomic(false) }

  private struct State {
    var waiting: [Waiting] = []
    var isReading = false
    var others = OtherRows()
    /// The marking of those that were read last.
    var marking: Task<Void, Never>?
  }

  private let state = Mutex(State())
  private let surroundings: Surroundings
  private let rules: AttributionRules

  init(_ surroundings: Surroundings, rules: AttributionRules) {
    (self.surroundings, self.rules) = (surroundings, rules)
  }

  /// Has an order that was looked at go, or says why it doesn't. Whoever is cancelled before its send is marked leaves
  /// the ledger as it was; what is marked is returned, cancelled or not.
  ///
  /// - Throws: `OrderSourceFailure`, `LedgerFailure`, or `CancellationError`.
  func depart(_ answered: ReferralQuestion.Answered) async throws -> Departure {
    try Task.checkCancellation()
    let mark = CancellationMark()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { answer in
        let isFirst = state.withLock { state in
          state.waiting.append(Waiting(answered: answered, mark: mark, answer: answer))
          defer { state.isReading = true }
          return !state.isReading
        }
        // Nobody's own task: the one who asked first may be cancelled, and the others not.
        if isFirst { Task(executorPreference: surroundings.executor) { await self.readAll() } }
      }
    } onCancel: {
      mark.isSet.store(true, ordering: .relaxed)
    }
  }

  private func readAll() async {
    while let group = nextGroup() {
      do {
        let rows = try await surroundings.orders.orders(withKeys: group.map(\.answered.order.row.key))
        try await noteOthers(beside: group, rows)
        // The next are read while these are being marked, and not those behind them: what is read long before it is
        // marked is old, and who waits meanwhile shares a read with more.
        await state.withLock(\.marking)?.value
        let marking = Task(executorPreference: surroundings.executor) { await self.begin(group, rows) }
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
    let missing = try await others.missing(beside: shown, surroundings)
    state.withLock { [others] in $0.others = others }
    guard !missing.isEmpty else { return }
    let now = surroundings.clock.now
    try await surroundings.ledger.transaction { for entry in missing { _ = try $0.noteMissing(entry, at: now) } }
  }

  /// Those that wait now; nil for none, after which whoever comes has to begin reading.
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
      let departures = try await departures(of: going.map(\.answered), rows)
      for (waiting, departure) in zip(going, departures) { waiting.answer.resume(returning: departure) }
    } catch let failure as LedgerFailure where failure.mayBeKept {
      // What may be marked all the same is marked for nobody: whoever failed has the ledger look for such marks.
      for waiting in going { waiting.answer.resume(throwing: failure) }
    } catch {
      // One that can't go must not hold up the others.
      for waiting in going { await beginAlone(waiting, rows) }
    }
  }

  private func beginAlone(_ waiting: Waiting, _ rows: [OrderKey: RowSighting]) async {
    do {
      for departure in try await departures(of: [waiting.answered], rows) {
        waiting.answer.resume(returning: departure)
      }
    } catch {
      waiting.answer.resume(throwing: error)
    }
  }

  private func departures(
    of answers: [ReferralQuestion.Answered], _ rows: [OrderKey: RowSighting]
  ) async throws -> [Departure] {
    let (rules, now, uptime) = (rules, surroundings.clock.now, surroundings.clock.uptime)
    let isConfirmed = surroundings.clock.isConfirmed
    return try await surroundings.ledger.transaction { transaction in
      let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      return try answers.map { answered in
        let order = answered.order
        // An answer that is older justifies no first send.
        guard order.mayHaveBeenDone || uptime - answered.askedAt <= ReferralQuestion.answerLasts else {
          return .stays(.changed(order))
        }
        let sighting = rows[order.row.key] ?? .unproven("the shop was not asked")
        let settled = try transaction.settleBeforeSend(order, sighting, decider: decider)
        guard case .send(let order, let report) = settled else { return .stays(settled) }
        let number = try transaction.beginSend(order.entry, report, at: now)
        return .goes(Send(order: order, report: report, number: number, startedAt: now))
      }
    }
  }
}

/// What became of an order that was to depart.
enum Departure: Sendable {
  /// Its report is frozen, and its send marked: it must be sent.
  case goes(Send)
  /// Nothing is to be sent, or something to be looked at first; never `BeforeSend.send`.
  case stays(BeforeSend)
}

/// A send that is marked in the ledger. One object, as hundreds wait at once in the frames of many functions.
final class Send: Sendable {
  let order: LedgerOrder
  let report: ConversionReport
  /// Its attempt's.
  let number: Int
  /// Wall-clock time.
  let startedAt: Timestamp

  init(order: LedgerOrder, report: ConversionReport, number: Int, startedAt: Timestamp) {
    (self.order, self.report, self.number, self.startedAt) = (order, report, number, startedAt)
  }
}

extension LedgerFailure {
  /// Whether it may be the commit's, which the disk may have kept all the same: a sync that failed after the write.
  fileprivate var mayBeKept: Bool {
    switch kind {
    case .diskFull, .io, .permission, .locked, .damaged: true
    default: false
    }
  }
}
