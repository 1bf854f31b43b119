import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Every answer's way through the ledger.
  @Suite(.timeLimit(.minutes(5))) struct DeliveryTests {
    /// One queued order, whose sends are checked.
    private func queued(_ faults: ConvertFault?..., replays: Bool = true) async throws -> World {
      let world = try World()
      try await world.queue(1)
      world.checkSends()
      world.api.state.withLock { ($0.convertFaults, $0.replays) = (faults, replays) }
      return world
    }

    private func finish(_ world: World, _ outcome: Outcome, within limit: Duration = .seconds(3600)) async throws {
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: limit) { try await world.outcome(1) == outcome }
        try await world.quiet()
      }
      #expect(world.violations.isEmpty)
      #expect(world.api.state.withLock { $0.permits.isEmpty }, "every permit was used or given back")
    }

    @Test func aReportIsFrozenBeforeItIsSent() async throws {
      let world = try await queued()
      try await finish(world, .reported)
      #expect(world.done.map(\.referralID.text) == ["r1"])
      #expect(try await world.attempts(1).map(\.verdict) == ["reported"])
      #expect(world.lines.of(.reported).count == 1)
    }

    @Test func anOrderThatOtherRulesQueuedIsDecidedAnewAndHoldsNobodyUp() async throws {
      // Queued without a hold, before the daemon was started with one.
      let world = try await queued()
      try await world.queue(2)
      let rules = makeRules(hold: day * 30)
      let context = world.context
      let delivery = Delivery(
        context, rules: rules, settings: Delivery.Settings(giveUpAfter: day * 30, isDryRun: false))
      try await world.running([delivery, Matching(context, rules: rules)]) {
        try await world.reaches(within: .seconds(120)) { try await world.outcomes() == [.held: 2] }
        try await world.pass(.seconds(600))
      }
      #expect(world.sent.isEmpty && world.violations.isEmpty)
      #expect(world.api.state.withLock { $0.wasted } == 2, "a permit for each, given back")
    }

    @Test(
      arguments: [
        ConvertFault.answerLost, .answerCut, .doneBut500, .requestLost, .internalError, .badGateway,
        .status(503, code: nil, retryAfter: .seconds(120)), .status(404, code: nil),
      ], [true, false])
    func anUnknownOutcomeIsSentAgainWithTheSameBytes(fault: ConvertFault, replays: Bool) async throws {
      let world = try await queued(fault, replays: replays)
      try await finish(world, .reported)
      #expect(world.done.count == 1)
      #expect(Set(world.sent).count == 1 && world.sent.count == 2)
      #expect(try await world.attempts(1).first?.verdict == "unknown")
      if case .status(503, _, _) = fault { #expect(world.clock.uptime >= .seconds(1120)) }
    }

    @Test(arguments: [ConvertFault.rateLimited, .refused])
    func whatWasNotDoneBurnsNoAttempt(fault: ConvertFault) async throws {
      let world = try await queued(fault, fault, fault)
      try await finish(world, .reported)
      #expect(try await world.attempts(1).map(\.verdict) == ["not_done", "not_done", "not_done", "reported"])
      #expect(try await world.order(1)?.frozen?.attempts == 1)
      #expect(try await world.order(1)?.frozen?.hasUnknownOutcome == false)
    }

    @Test(arguments: [
      (ConvertFault.invalid, "rejected", false), (.status(422, code: "VALIDATION_ERROR"), "rejected", false),
      (.otherReferral, "answer_mismatch", true), (.otherValue, "answer_mismatch", true),
    ])
    func whatNeedsAPerson(fault: ConvertFault, reason: String, keeps: Bool) async throws {
      let world = try await queued(fault)
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == reason)
      #expect(try await world.order(1)?.claims == keeps)
      #expect(world.lines.of(.review).map(\.level) == [.error])
    }

    @Test func aRefusalAfterAnUnknownOutcomeKeepsTheReferralForAPersonToDecide() async throws {
      let world = try await queued(.answerLost, .invalid)
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == "rejected")
      #expect(try await world.order(1)?.claims == true, "it may have been done: no rival moves up")
    }

    @Test func anotherProgramsConversionSupersedes() async throws {
      let world = try await queued()
      world.convertElsewhereAtTheSend("r1")
      try await finish(world, .superseded)
      #expect(world.sent.count == 1 && world.done.isEmpty)
    }

    @Test func rivalsAreNotSentAfterAnOrderThatLostItsReferral() async throws {
      let world = try await queued()
      var rival = makeOrder(2)
      rival.email = makeOrder(1).email
      world.shop.put(rival)
      try await world.takeShop()
      try await world.decideAll()
      #expect(try await world.outcome(2) == .waiting)
      world.convertElsewhereAtTheSend("r1")
      try await finish(world, .superseded)
      #expect(try await world.outcome(2) == .superseded)
      #expect(world.sent.count == 1, "the API has shown whose it is")
    }

    @Test func anHourThatTheAPIAsksForIsEverybodys() async throws {
      let world = try World()
      try await world.queue(1, 2, 3, 4)
      world.checkSends()
      world.api.state.withLock { $0.convertFaults = [.status(503, code: nil, retryAfter: .seconds(3600))] }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 1 }
        let before = world.clock.uptime
        try await world.pass(.seconds(3500))
        #expect(world.sent.count == 1)
        try await world.reaches(within: .seconds(600)) { try await world.outcomes() == [.reported: 4] }
        #expect(world.clock.uptime - before >= .seconds(3590))
      }
    }

    @Test func aTransactionIDUsedForAnotherReferralIsAConflict() async throws {
      let world = try await queued()
      world.api.state.withLock { $0.transactions["order_1"] = ReferralID("r9") }
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == "transaction_conflict")
    }

    @Test func aRefusalThatCouldNotBeVerifiedLeavesNoDoubt() async throws {
      // The 409 says that our send was not done; a referral that can't be asked for just then changes nothing about it.
      let world = try await queued()
      world.convertElsewhereAtTheSend("r1", value: 500)
      // The account and the question come before the send.
      world.api.state.withLock { $0.readFaults = [nil, nil, 500] }
      try await finish(world, .superseded)
      #expect(try await world.order(1)?.frozen == nil, "what was surely not done counts as never sent")
    }

    @Test func aMissingReferralIsMatchedAgainAtMostThreeTimes() async throws {
      let world = try await queued()
      world.api.state.withLock { $0.convertFaults = Array(repeating: .notFound, count: 10) }
      try await world.running([world.delivery, world.matching, world.mirror]) {
        try await world.reaches(within: .seconds(3600)) { try await world.outcome(1) == .review }
      }
      #expect(try await world.order(1)?.reason == "referral_missing")
      #expect(try await world.attempts(1).map(\.verdict) == ["rematch", "rematch", "rematch", "review"])
      #expect(world.violations.isEmpty)
    }

    @Test func anotherAccountsAPIHaltsSendingInsteadOfEmptyingTheQueue() async throws {
      let world = try await queued()
      world.api.state.withLock { $0.table.removeAll() }
      try await world.running([world.delivery, world.matching]) { try await world.pass(.seconds(1200)) }
      #expect(world.sent.isEmpty)
      #expect(try await world.outcome(1) == .queued)
      #expect(world.lines.of(.apiHalted).count == 1)
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(700)) { try await world.outcome(1) == .reported }
      }
    }

    @Test func anAPIThatRefusesEverythingIsNotFedTheWholeQueue() async throws {
      let world = try World()
      for key in 1...9 { try await world.queue(key) }
      world.api.state.withLock {
        $0.convertFaults = Array(repeating: .status(400, code: "VALIDATION_ERROR"), count: 6)
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(.seconds(3000))
        #expect(world.sent.count == 5)
        try await world.reaches(within: .seconds(9000)) { try await world.outcome(9) == .reported }
      }
      #expect(world.sent.count == 9)
      #expect(world.lines.of(.apiHalted).count == 2, "the sixth, let through after an hour, was refused as well")
    }

    @Test func aReferralThatIsMissingAfterAnUnknownOutcomeIsLookedFor() async throws {
      let world = try await queued(.requestLost, .notFound)
      let api = world.api
      // It disappears after the send: at the start the API is asked for it, too.
      world.api.state.withLock {
        $0.onGet = { _ in if !world.sent.isEmpty { api.state.withLock { $0.table.removeAll() } } }
      }
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == "referral_missing")
      #expect(try await world.order(1)?.frozen != nil)
    }

    @Test func afterLongEnoughAPersonIsAsked() async throws {
      let world = try await queued()
      world.api.state.withLock { $0.convertFaults = Array(repeating: .internalError, count: 10_000) }
      try await world.running([world.delivery(giveUpAfter: day)]) {
        try await world.reaches(within: day * 2) { try await world.outcome(1) == .review }
      }
      #expect(try await world.order(1)?.reason == "gave_up")
      #expect(world.sent.count > 90 && world.sent.count < 300)
      #expect(try await world.order(1)?.claims == true)
    }

    /// An API that refuses us, by whatever means, for longer than an order is tried.
    @Test(arguments: [ConvertFault.refused, .notApproved])
    func whoeverWasNeverHeardIsNotGivenUp(fault: ConvertFault) async throws {
      let world = try await queued()
      world.api.state.withLock { $0.convertFaults = Array(repeating: fault, count: 100_000) }
      try await world.running([world.delivery(giveUpAfter: .seconds(6 * 3600)), world.matching]) {
        try await world.pass(.seconds(12 * 3600))
        #expect(try await world.outcome(1) == .queued && world.sent.count > 10)
        world.api.state.withLock { $0.convertFaults = [] }
        try await world.reaches(within: .seconds(3600)) { try await world.outcome(1) == .reported }
      }
      #expect(try await world.order(1)?.frozen?.attempts == 1)
    }

    @Test func whatWasTriedBeforeAHaltIsTriedAgainAfterIt() async throws {
      let world = try await queued(.internalError, .keyRefused)
      // The halt is left as it is for two days.
      world.api.state.withLock { $0.readFaults = [nil, nil] + Array(repeating: 401, count: 2 * 288) }
      try await world.running([world.delivery(giveUpAfter: day), world.matching]) {
        try await world.reaches(within: .seconds(3600)) { world.sent.count == 2 }
        try await world.pass(day + .seconds(3600))
        #expect(world.sent.count == 2)
        try await world.reaches(within: day * 2) { try await world.outcome(1) == .reported }
      }
      #expect(try await world.attempts(1).map(\.verdict) == ["unknown", "halt", "reported"])
      #expect(world.violations.isEmpty)
    }

    @Test func liveOrdersGoBeforeABackfill() async throws {
      let world = try World()
      for key in 1...3 { world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com")) }
      for key in 1...3 { world.shop.put(makeOrder(key)) }
      try await world.take([.readable(makeOrder(1)), .readable(makeOrder(2))], isBackfill: true)
      try await world.mirrorAPI()
      try await world.endCatchUp()
      try await world.decideAll()
      // Comes while the first permit is waited for.
      let calls = Mutex(0)
      let clock = world.clock
      world.api.state.withLock {
        $0.onReserve = {
          guard
            calls.withLock({
              $0 += 1; return $0
            }) == 1
          else { return }
          try await clock.sleep(for: .seconds(30))
        }
      }
      try await world.running([world.delivery]) {
        try await world.pass(.seconds(5))
        try await world.take([.readable(makeOrder(3))])
        try await world.decideAll()
        try await world.reaches(within: .seconds(600)) { try await world.outcomes() == [.reported: 3] }
      }
      #expect(world.sent.map(\.transactionID.text) == ["order_3", "order_1", "order_2"])
    }

    @Test func nothingSendableIsNoReasonToSpin() async throws {
      let world = try World()
      try await world.queue(1)
      // Still catching up: due, and not to be frozen.
      try await world.ledger.base.transaction { transaction in
        var progress = try transaction.intakeProgress()
        progress.caughtUpAt = nil
        try transaction.setIntakeProgress(progress)
      }
      let before = world.ledger.state.withLock { $0.count }
      try await world.running([world.delivery]) { try await world.pass(.seconds(600)) }
      let looks = world.ledger.state.withLock { $0.count } - before
      #expect(looks > 2 && looks < 1300, "at most one look a second")
      #expect(world.sent.isEmpty && world.api.state.withLock { $0.permit } == 0)
    }

    @Test func aDryRunSaysEverythingOnceAndSendsNothing() async throws {
      let world = try World()
      try await world.queue(1, 2, 3)
      // One that may have been done, and has stopped qualifying since.
      let now = world.clock.now
      try await world.ledger.base.transaction { transaction in
        guard let order = try transaction.entry(EntryID(3)), let report = ConversionReport(of: order) else { return }
        _ = try transaction.beginSend(order.entry, report, at: now)
      }
      world.shop.change(OrderKey("3")) { $0.qualifies = false }
      try await world.running([world.delivery(isDryRun: true), world.matching]) { try await world.pass(.seconds(3600)) }
      #expect(world.lines.of(.wouldReport).count == 2)
      #expect(world.sent.isEmpty)
      #expect(world.shop.state.withLock { $0.rereads } == 3)
    }
  }
}
