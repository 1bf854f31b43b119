import Conversions
import Logging

/// One order's way from the queue to the API and back: looked at, read again, frozen, sent, settled.
///
/// One for all of them: what it works with need not be copied for each.
final class Flight: Sendable {
  /// How often an order that turns out to be another referral's is looked at again before it goes back into the queue.
  private static let looksMax = 3

  private let surroundings: Surroundings
  private let rules: AttributionRules
  private let settings: Delivery.Settings
  private let question: ReferralQuestion
  private let departures: Departures
  private let sending: Sending

  init(_ surroundings: Surroundings, rules: AttributionRules, settings: Delivery.Settings) {
    (self.surroundings, self.rules, self.settings) = (surroundings, rules, settings)
    question = ReferralQuestion(surroundings, rules: rules)
    departures = Departures(surroundings, rules: rules)
    sending = Sending(surroundings)
  }

  /// How a flight ended.
  enum Landing: Sendable {
    /// It was sent, and what came of it is stored.
    case sent(EndedSend)
    /// Nothing was sent.
    case notSent
    /// Nothing was sent, as the API gave no answer to what had to be asked first.
    case unseen(LookFailure)
    /// Nothing more is known than this, and if it was sent it is marked so.
    case failed(any Error)
  }

  /// Flies; the permit is used, or given back.
  func fly(_ queued: LedgerOrder, permit: SendPermit) async -> Landing {
    do {
      if let ended = try await send(queued, permit: permit) { return .sent(ended) }
      await surroundings.partners.cancel(permit)
      // Decided anew, it may have let go of its referral.
      surroundings.matchingBell.ring()
      return .notSent
    } catch let failure as LookFailure {
      await surroundings.partners.cancel(permit)
      return .unseen(failure)
    } catch {
      await surroundings.partners.cancel(permit)
      return .failed(error)
    }
  }

  private func send(_ queued: LedgerOrder, permit: SendPermit) async throws -> EndedSend? {
    var order = queued
    if let frozen = order.frozen, try await isTriedInVain(order, frozen) {
      try await giveUp(order, frozen)
      return nil
    }
    var isLate = false
    for _ in 0..<Self.looksMax {
      guard let answered = try await question.ask(before: order) else { return nil }
      // The last thing before the send: what the shop changes later is for the partner to correct.
      switch try await departures.depart(answered) {
      case .goes(let send): return try await shielded { [sending] in try await sending.send(send, permit: permit) }
      case .stays(.changed(let changed)):
        order = changed
        isLate = surroundings.clock.uptime - answered.askedAt > ReferralQuestion.answerLasts
      case .stays(.settleUnknown(let order, let frozen)):
        try await UnknownSettling(surroundings: surroundings).settle(order, frozen)
        return nil
      case .stays(.dropped(let decided)):
        decided?.log(to: surroundings.log)
        return nil
      case .stays(.missing(let missing)):
        missing.log(to: surroundings.log)
        return nil
      case .stays(.send): return nil
      }
    }
    if isLate { try await question.noteLate(order) }
    return nil
  }

  /// Says what would be sent. For a dry run, on a copy of the ledger.
  ///
  /// - Throws: `OrderSourceFailure`, `LaneRefusal`, `LedgerFailure`, or `CancellationError`.
  func rehearse(_ queued: LedgerOrder) async throws {
    let answered: ReferralQuestion.Answered?
    do {
      answered = try await question.ask(before: queued)
    } catch let failure as LookFailure {
      return try await question.postpone(failure.order, reason: LookFailure.reason, "\(failure)")
    }
    guard let order = answered?.order else { return }
    let found = try await surroundings.orders.orders(withKeys: [order.row.key])[order.row.key]
    let sighting = found ?? .unproven("the shop was not asked")
    let (rules, now, isConfirmed) = (rules, surroundings.clock.now, surroundings.clock.isConfirmed)
    let settled = try await surroundings.ledger.transaction {
      let decider = try OrderDecider($0, rules: rules, now: now, isTimeConfirmed: isConfirmed)
      return try $0.settleBeforeSend(order, sighting, decider: decider)
    }
    switch settled {
    case .send(let order, let report):
      // The metadata may hold whatever the shop's tables do.
      let body = MaskedText.withoutAddresses(String(decoding: report.body, as: UTF8.self))
      surroundings.log.event(
        .wouldReport, .notice, "would report order \(order.orderID) for referral \(report.referralID): \(body)",
        ["order": order.orderID, "referral": report.referralID.text])
      try await putAway(order)
    // The API would be asked about what may have been done, and nothing be sent.
    case .settleUnknown(let order, _): try await putAway(order)
    case .changed, .dropped, .missing: surroundings.matchingBell.ring()
    }
  }

  /// Keeps an order from being said again.
  private func putAway(_ order: LedgerOrder) async throws {
    let until = surroundings.clock.now + .seconds(365 * 86_400)
    try await surroundings.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: "dry_run", detail: "not sent: dry run")
    }
  }

  /// Runs a send to its end although the loop is told to stop, for as long as the grace lasts.
  private func shielded<Value: Sendable>(_ send: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let (clock, grace, executor) = (surroundings.clock, settings.stopGrace, surroundings.executor)
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

  /// Whether sends that count have gone on for as long as an order is tried. Neither an API that wouldn't hear us, for
  /// however long it was away, nor a lane that was halted is the order's failure: after either it is tried once more.
  /// Nor is a clock that was set forward, or that nobody has confirmed.
  private func isTriedInVain(_ order: LedgerOrder, _ frozen: FrozenReport) async throws -> Bool {
    let clock = surroundings.clock
    guard clock.isConfirmed, clock.now - frozen.frozenAt > settings.giveUpAfter else { return false }
    let tries = try await surroundings.ledger.transaction { transaction in
      // One that was cut short by the daemon's end has no verdict.
      try transaction.attempts(of: order.entry).filter { $0.verdict == nil || $0.verdict == SendVerdict.unknownName }
    }
    guard let first = tries.first, let last = tries.last else { return false }
    // The time from before a jump counts for nothing, as it can't be told from the jump.
    let since = max(first.startedAt, clock.jumpedAt ?? first.startedAt)
    return last.startedAt - since > settings.giveUpAfter
  }

  private func giveUp(_ order: LedgerOrder, _ frozen: FrozenReport) async throws {
    let now = surroundings.clock.now
    let days = settings.giveUpAfter.components.seconds / 86_400
    let isOpen = try await surroundings.ledger.transaction { transaction in
      guard try transaction.entry(order.entry)?.outcome == .queued else { return false }
      var decision = Decision(
        review: .gaveUp, "tried for \(days) days, \(frozen.attempts) times; last: \(order.detail ?? "-")",
        referralID: frozen.report.referralID, claims: true)
      decision.value = frozen.report.value
      try transaction.decide(order.entry, decision, at: now)
      return true
    }
    guard isOpen else { return }
    surroundings.log.event(
      .review, .error, "order \(order.orderID) was tried for \(days) days and needs a person",
      ["order": order.orderID, "referral": frozen.report.referralID.text, "reason": ReviewReason.gaveUp.rawValue])
  }
}
