import Conversions
import Logging

/// Takes one order from the queue to the API and back: looked at, read again, frozen, sent, stored.
///
/// One object for all orders: what it works with need not be copied for each.
final class AttemptRunner: Sendable {
  /// The number of looks at an order which turns out to be another referral's before it goes back into the queue.
  private static let looksMax = 3

  private let context: PipelineContext
  private let rules: AttributionRules
  private let settings: Delivery.Settings
  private let question: ReferralQuestion
  private let starts: AttemptStarter
  private let sending: AttemptSender

  init(_ context: PipelineContext, rules: AttributionRules, settings: Delivery.Settings) {
    (self.context, self.rules, self.settings) = (context, rules, settings)
    question = ReferralQuestion(context, rules: rules)
    starts = AttemptStarter(context, rules: rules)
    sending = AttemptSender(context)
  }

  /// The end of an attempt.
  enum AttemptEnd: Sendable {
    /// It was sent, and what came of it is stored.
    case sent(Attempt.Ended)
    /// Nothing was sent.
    case notSent
    /// Nothing was sent, as the API gave no answer to what had to be asked first.
    case unseen(LookFailure)
    /// It failed with this, and if it was sent it is marked so.
    case failed(any Error)
  }

  /// Runs one attempt; the permit is used, or given back.
  func run(_ queued: LedgerOrder, permit: SendPermit) async -> AttemptEnd {
    do {
      if let ended = try await send(queued, permit: permit) { return .sent(ended) }
      await context.partners.cancel(permit)
      // Wakes matching: decided anew, the order may have let go of its referral.
      context.matchingWake.notify()
      return .notSent
    } catch let failure as LookFailure {
      await context.partners.cancel(permit)
      return .unseen(failure)
    } catch {
      await context.partners.cancel(permit)
      return .failed(error)
    }
  }

  private func send(_ queued: LedgerOrder, permit: SendPermit) async throws -> Attempt.Ended? {
    var order = queued
    if let frozen = order.frozen, try await isTriedInVain(order, frozen) {
      try await giveUp(order, frozen)
      return nil
    }
    var isLate = false
    for _ in 0..<Self.looksMax {
      guard let answered = try await question.ask(before: order) else { return nil }
      // Asks the shop last before the send: what it changes later is for the partner to correct.
      switch try await starts.start(answered) {
      case .goes(let send): return try await shielded { [sending] in try await sending.send(send, permit: permit) }
      case .stays(.changed(let changed)):
        order = changed
        isLate = context.clock.uptime - answered.askedAt > ReferralQuestion.answerLasts
      case .stays(.resolveUnknown(let order, let frozen)):
        try await UnknownOutcome(context: context).resolve(order, frozen)
        return nil
      case .stays(.dropped(let decided)):
        if let decided { context.logChanges([decided]) }
        return nil
      case .stays(.putOff(let order, let until, let words)):
        context.logPutOff(order, reason: RowSighting.unprovenReason, words, until: until)
        return nil
      case .stays(.missing(let missing)):
        missing.log(in: context)
        return nil
      case .stays(.send): return nil
      }
    }
    if isLate { try await question.noteLate(order) }
    return nil
  }

  /// Logs what would be sent. For a dry run, on a copy of the ledger.
  ///
  /// - Throws: `OrderSourceFailure`, `SendingRefusal`, `LedgerFailure`, or `CancellationError`.
  func rehearse(_ queued: LedgerOrder) async throws {
    let answered: ReferralQuestion.Answered?
    do {
      answered = try await question.ask(before: queued)
    } catch let failure as LookFailure {
      return try await question.postpone(failure.order, reason: LookFailure.reason, "\(failure)")
    }
    guard let order = answered?.order else { return }
    let found = try await context.orders.orders(withKeys: [order.row.key])[order.row.key]
    let sighting = found ?? .unproven("the shop was not asked")
    let (rules, now, isConfirmed) = (rules, context.clock.now, context.clock.isConfirmed)
    let beforeSend = try await context.ledger.transaction {
      let decider = try OrderDecider($0, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      return try FreezeReport(ledger: $0, decider: decider).freeze(order, sighting)
    }
    switch beforeSend {
    case .send(let order, let report):
      // Masks addresses, as the metadata may hold whatever the shop's tables do.
      let body = MaskedText.withoutAddresses(String(decoding: report.body, as: UTF8.self))
      context.log.event(
        .wouldReport, .notice, "would report order \(order.orderID) for referral \(report.referralID): \(body)",
        order.fields(reason: nil).merging(report.fields) { $1 })
      try await putAway(order)
    // Logs nothing: the API would be asked about what may have been done, and nothing be sent.
    case .resolveUnknown(let order, _): try await putAway(order)
    case .changed, .dropped, .putOff, .missing: context.matchingWake.notify()
    }
  }

  /// Keeps an order from being logged again.
  private func putAway(_ order: LedgerOrder) async throws {
    let until = context.clock.now + .seconds(365 * 86_400)
    try await context.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: QueuedReason.dryRun.rawValue, detail: "not sent: dry run")
    }
  }

  /// Runs a send to its end although the loop is told to stop, for as long as the grace lasts.
  private func shielded<Value: Sendable>(_ send: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let (clock, grace, executor) = (context.clock, settings.stopGrace, context.executor)
    let task = Task(executorPreference: executor) { try await send() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      Task(executorPreference: executor) {
        let patience = Task(executorPreference: executor) {
          try await clock.sleep(for: grace)
          task.cancel()
        }
        _ = await task.result
        patience.cancel()
      }
    }
  }

  /// Returns true once sends that count have gone on for as long as an order is tried. Neither an API that took no
  /// sends, for however long, nor a halt is the order's failure: after either it is tried once more. Nor is a clock
  /// that was set forward, or that is unconfirmed.
  private func isTriedInVain(_ order: LedgerOrder, _ frozen: FrozenReport) async throws -> Bool {
    let clock = context.clock
    guard clock.isConfirmed, clock.now - frozen.frozenAt > settings.giveUpAfter else { return false }
    let tries = try await context.ledger.transaction { transaction in
      // Counts an attempt that was cut short by the daemon's end, which has no verdict.
      try transaction.attempts(of: order.entry).filter { $0.verdict == nil || $0.verdict == SendVerdict.unknownName }
    }
    guard let first = tries.first, let last = tries.last else { return false }
    // The time from before a jump counts for nothing, as it can't be told from the jump.
    let since = max(first.startedAt, clock.jumpedAt ?? first.startedAt)
    return last.startedAt - since > settings.giveUpAfter
  }

  private func giveUp(_ order: LedgerOrder, _ frozen: FrozenReport) async throws {
    let now = context.clock.now
    let days = settings.giveUpAfter.components.seconds / 86_400
    let isOpen = try await context.ledger.transaction { transaction in
      guard try transaction.entry(order.entry)?.outcome == .queued else { return false }
      try transaction.decide(order.entry, .gaveUp(on: frozen, afterDays: days, last: order.detail), at: now)
      return true
    }
    guard isOpen else { return }
    context.log.event(
      .review, .error, "order \(order.orderID) was tried for \(days) days and needs a person",
      order.fields(reason: ReviewReason.gaveUp.rawValue))
  }
}
