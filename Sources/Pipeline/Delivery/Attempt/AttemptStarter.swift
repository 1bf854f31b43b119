import Conversions

/// Does the last things before a send: asks the shop for the order again, freezes its report and marks it as being
/// sent, durably.
struct AttemptStarter: Sendable {
  private let context: PipelineContext
  private let rules: AttributionRules
  private let others: OtherRows

  init(_ context: PipelineContext, rules: AttributionRules) {
    (self.context, self.rules, others) = (context, rules, OtherRows(context))
  }

  /// Starts the send of an order that was looked at, or says why not. A caller that is cancelled before its send is
  /// marked leaves the ledger as it was; what is marked is returned, cancelled or not.
  ///
  /// - Throws: `OrderSourceFailure`, `CancellationError`, or `LedgerFailure`, after which the mark may be kept all the
  ///   same: a disk that failed after the write.
  func start(_ answered: ReferralQuestion.Answered) async throws -> AttemptStart {
    let key = answered.order.row.key
    let found = try await context.orders.orders(withKeys: [key])[key]
    let sighting = found ?? .unproven("the shop was not asked")
    try await others.look(beside: answered.order, sighting)
    try Task.checkCancellation()
    // Runs in a task of its own: a mark must not be lost because its caller is cancelled meanwhile.
    return try await Task(executorPreference: context.executor) { try await mark(answered, sighting) }.value
  }

  private func mark(_ answered: ReferralQuestion.Answered, _ sighting: RowSighting) async throws -> AttemptStart {
    let (rules, clock, order) = (rules, context.clock, answered.order)
    let (now, isConfirmed) = (clock.now, clock.isConfirmed)
    return try await context.ledger.transaction { transaction in
      // An answer that is older justifies no first send; the row was read after it.
      guard order.mayHaveBeenDone || clock.uptime - answered.askedAt <= ReferralQuestion.answerLasts else {
        return .stays(.changed(order))
      }
      let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      let beforeSend = try FreezeReport(ledger: transaction, decider: decider).freeze(order, sighting)
      guard case .send(let order, let report) = beforeSend else { return .stays(beforeSend) }
      let number = try transaction.beginSend(order.entry, report, at: now)
      return .goes(Attempt.Started(order: order, report: report, number: number, startedAt: now))
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
