import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Orders that change between their reading and their sending.
  @Suite(.timeLimit(.minutes(5))) struct RereadTests {
    private func queued(_ faults: ConvertFault?...) async throws -> World {
      let world = try World()
      try await world.queue(1)
      world.checkSends()
      world.api.state.withLock { $0.convertFaults = faults }
      return world
    }

    private func finish(_ world: World, _ outcome: Outcome, within limit: Duration = .seconds(7200)) async throws {
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: limit) { try await world.outcome(1) == outcome }
        try await world.quiet()
      }
      #expect(world.violations.isEmpty)
      #expect(world.api.state.withLock { $0.permits.isEmpty })
    }

    /// Runs until the first send has come to nothing definite, then changes the row, and has intake see it first or
    /// not.
    private func change(_ world: World, seenByIntake: Bool, _ change: (inout Order) -> Void) async throws {
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { try await world.attempts(1).first?.verdict != nil }
      }
      world.shop.change(OrderKey("1"), change)
      if seenByIntake {
        try await world.takeShop()
        try await world.decideAll()
      }
    }

    @Test func anotherAmountBeforeTheFirstSendIsAnotherBody() async throws {
      let world = try await queued()
      world.shop.change(OrderKey("1")) { $0.total = .amount("777", currency: "EUR") }
      try await finish(world, .reported)
      #expect(world.done.map(\.value) == [777])
    }

    @Test(arguments: [ConvertFault.requestLost, .answerLost], [true, false])
    func anotherAmountAfterAnUnknownOutcomeIsNot(fault: ConvertFault, seenByIntake: Bool) async throws {
      let world = try await queued(fault)
      try await change(world, seenByIntake: seenByIntake) { $0.total = .amount("777", currency: "EUR") }
      try await finish(world, .reported)
      #expect(world.done.map(\.value) == [500] && Set(world.sent).count == 1)
    }

    @Test(arguments: [true, false])
    func anotherAmountAfterACertainRefusalIsAnotherBody(seenByIntake: Bool) async throws {
      // Nothing was done, so what is to be sent is open, whether intake or delivery sees the change first.
      let world = try await queued(.rateLimited)
      try await change(world, seenByIntake: seenByIntake) { $0.total = .amount("777", currency: "EUR") }
      try await finish(world, .reported)
      #expect(world.done.map(\.value) == [777])
    }

    @Test func whatNoLongerQualifiesIsCancelled() async throws {
      let world = try await queued()
      world.shop.change(OrderKey("1")) { $0.qualifies = false }
      try await finish(world, .cancelled)
      #expect(world.sent.isEmpty)
    }

    @Test(arguments: [true, false])
    func whatNoLongerQualifiesAfterACertainRefusalIsCancelled(seenByIntake: Bool) async throws {
      let world = try await queued(.rateLimited)
      try await change(world, seenByIntake: seenByIntake) { $0.qualifies = false }
      // Another program's conversion is not ours: nothing of ours was done. The API is asked before the shop.
      world.api.convertElsewhere("r1", value: 500)
      try await finish(world, seenByIntake ? .cancelled : .superseded)
      #expect(world.sent.count == 1 && world.done.isEmpty)
    }

    /// A report is lost on its way; meanwhile the shop deletes the order, and makes it anew under the same number.
    @Test(arguments: [Duration.seconds(1), .seconds(240), .seconds(1200)])
    func anOrderThatIsMadeAnewAfterALostReportIsReportedOnce(later: Duration) async throws {
      let world = try await queued(.requestLost)
      try await world.running([world.intake, world.mirror, world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(600)) { try await world.attempts(1).first?.verdict != nil }
        world.shop.remove(OrderKey("1"))
        try await world.pass(later)
        let old = makeOrder(1)
        world.shop.put(
          Order(
            key: OrderKey("77"), transactionID: old.transactionID, email: old.email, externalSourceID: nil,
            total: old.total, status: old.status, qualifies: true, placedAt: old.placedAt))
        try await world.pass(.seconds(7200))
      }
      let done = world.done.map(\.transactionID.text)
      #expect(done == ["order_1"])
      let orders = try await world.orders().map { "\($0.orderID) \($0.outcome) \($0.reason ?? "-")" }
      #expect(orders == ["order_1 reported -"])
      #expect(world.violations.isEmpty)
    }

    /// The friend's earlier referral is made known while the report of the later one is refused.
    @Test(arguments: [ConvertFault.rateLimited, .refused, .keyRefused])
    func whatWasRefusedForSureIsAskedForAgain(fault: ConvertFault) async throws {
      let world = try await queued(fault)
      try await change(world, seenByIntake: false) { _ in }
      world.api.put(makeReferral("r0", email: "friend1@example.com", created: start - day * 20))
      try await finish(world, .reported)
      let paid = world.done.map(\.referralID.text)
      #expect(paid == ["r0"])
      #expect(world.sent.count == 2)
    }

    @Test(arguments: [true, false])
    func whatWasDoneAndNoLongerQualifiesIsReported(seenByIntake: Bool) async throws {
      let world = try await queued(.answerLost)
      try await change(world, seenByIntake: seenByIntake) { $0.qualifies = false }
      try await finish(world, .reported)
      #expect(world.sent.count == 1)
      #expect(try await world.order(1)?.reason == DecisionReason.noLongerQualifies)
    }

    @Test(arguments: [true, false])
    func whatWasNotDoneAndNoLongerQualifiesIsCancelledOnceThatIsSure(isGone: Bool) async throws {
      let world = try await queued(.requestLost)
      try await change(world, seenByIntake: false) { $0.qualifies = false }
      if isGone { world.shop.remove(OrderKey("1")) }
      let before = world.clock.uptime
      try await finish(world, .cancelled)
      #expect(world.sent.count == 1)
      #expect(world.clock.uptime - before >= .seconds(880), "a quarter of an hour after the last send")
    }

    @Test func aRowThatIsGoneIsCancelled() async throws {
      let world = try await queued()
      world.shop.remove(OrderKey("1"))
      try await finish(world, .cancelled)
      #expect(try await world.order(1)?.reason == DecisionReason.gone && world.sent.isEmpty)
    }

    @Test func whatCannotBeReadAgainAfterAnUnknownOutcomeIsForAPerson() async throws {
      let world = try await queued(.requestLost)
      try await change(world, seenByIntake: false) { _ in }
      world.shop.put(.unreadable(UnreadableOrder(key: OrderKey("1"), reason: .unreadable, detail: "total: 22P02")))
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == ReviewReason.changedWhileUnknown.rawValue)
    }

    @Test func whatMayHaveBeenDoneForAReferralThatIsGoneIsForAPerson() async throws {
      let world = try await queued(.answerLost)
      try await change(world, seenByIntake: false) { $0.qualifies = false }
      world.api.put(makeReferral("r9", email: "other@example.com"))
      try await world.mirrorAPI()
      _ = world.api.state.withLock { $0.table.remove(ReferralID("r1")) }
      try await finish(world, .review)
      #expect(try await world.order(1)?.reason == ReviewReason.referralMissing.rawValue)
      #expect(try await world.order(1)?.claims == true)
      #expect(world.sent.count == 1)
    }

    @Test func anOutageOfTheShopKeepsTheQueueAndLeaksNoPermit() async throws {
      let world = try await queued()
      world.shop.state.withLock { $0.outage = OrderSourceFailure(kind: .unreachable, message: "connection refused") }
      try await world.running([world.delivery]) {
        try await world.pass(.seconds(600))
        #expect(try await world.outcome(1) == .queued)
        #expect(world.lines.of(.ledgerFailed).count <= 1)
        #expect(world.api.state.withLock { $0.permits.count <= 1 && $0.permit < 60 })
        world.shop.state.withLock { $0.outage = nil }
        try await world.reaches(within: .seconds(120)) { try await world.outcome(1) == .reported }
      }
      #expect(world.api.state.withLock { $0.permits.isEmpty } && world.violations.isEmpty)
    }

    @Test func anOldCopyOfTheReferralIsAskedForFirst() async throws {
      let world = try await queued()
      world.clock.advance(to: world.clock.uptime + .seconds(700))
      world.api.convertElsewhere("r1")
      try await finish(world, .superseded)
      // Once at the start, to see whether the account is still the ledger's; the question shows the referral.
      #expect(world.sent.isEmpty && world.api.state.withLock { $0.gets.count } == 1)
    }

    @Test func anOrderThatWasCancelledWhileItsReferralWasAskedForStaysCancelled() async throws {
      let world = try await queued()
      world.clock.advance(to: world.clock.uptime + .seconds(700))
      // The API hangs and answers 500 in the end; by then the order was refunded and decided again.
      let asked = Mutex(false)
      world.api.state.withLock { state in
        state.readFaults = [500]
        state.onGet = { _ in
          guard
            !asked.withLock({
              let before = $0; $0 = true; return before
            })
          else { return }
          world.shop.change(OrderKey("1")) { $0.qualifies = false }
          try? await world.takeShop()
          _ = try? await world.decideAll()
        }
      }
      try await world.running([world.delivery]) { try await world.pass(.seconds(600)) }
      #expect(try await world.outcome(1) == .cancelled)
      #expect(world.sent.isEmpty && world.violations.isEmpty)
      world.api.state.withLock { $0.onGet = nil }
    }

    @Test(arguments: 1...12)
    func aChangeAtAnyMomentIsNeverOverlooked(moment: Int) async throws {
      // Before the delivery's n-th transaction intake takes in a refund, and matching decides it.
      let world = try await queued()
      let (first, count) = (world.ledger.state.withLock { $0.count }, moment)
      world.ledger.state.withLock { state in
        state.before = { number in
          guard number == first + count else { return }
          world.shop.change(OrderKey("1")) { $0.qualifies = false }
          try? await world.takeShop()
          _ = try? await Self.decide(world)
        }
      }
      let refunds = Mutex(false)
      let api = world.api
      let check = api.state.withLock { $0.onConvert }
      api.state.withLock {
        $0.onConvert = { report in
          await check?(report)
          let order = try? await world.order(1)
          if order?.order?.qualifies == false { refunds.withLock { $0 = true } }
        }
      }
      try await world.running([world.delivery]) { try await world.pass(.seconds(60)) }
      #expect(!refunds.withLock { $0 }, "the ledger knew of the refund when the report was sent")
      let outcome = try await world.outcome(1)
      #expect(outcome == (world.done.isEmpty ? .cancelled : .reported))
      #expect(world.api.state.withLock { $0.permits.isEmpty } && world.violations.isEmpty)
      world.ledger.state.withLock { $0.before = nil }
      world.api.state.withLock { $0.onConvert = nil }
    }

    /// Decides without the watched ledger, whose hook this is called from.
    private static func decide(_ world: World) async throws {
      let (rules, now) = (world.rules, world.clock.now)
      try await world.ledger.base.transaction { transaction in
        for order in try transaction.undecided(at: now, limit: 100) {
          let decider = try OrderDecider(transaction, rules: rules, now: now, isTimeConfirmed: true)
          try transaction.decide(order.entry, try decider.decide(order), at: now)
        }
      }
    }
  }
}
