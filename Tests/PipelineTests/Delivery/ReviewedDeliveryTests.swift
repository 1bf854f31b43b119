import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Faults that a review of delivery found.
  @Suite(.timeLimit(.minutes(5))) struct ReviewedDeliveryTests {
    /// An order whose send was lost, which stopped qualifying, and of which it is sure that it was not done.
    private func cancelledAfterDoubt() async throws -> World {
      let world = try await World.queued(1, .requestLost)
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { try await world.attempts(1).first?.verdict != nil }
      }
      world.shop.change(OrderKey("1")) { $0.qualifies = false }
      return world
    }

    @Test func whatQualifiesAgainAfterItsSendsWereNotDoneIsReported() async throws {
      let world = try await cancelledAfterDoubt()
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(7200)) { try await world.outcome(1) == .cancelled }
        try await world.quiet()
        world.shop.change(OrderKey("1")) { $0.qualifies = true }
        try await world.takeShop()
        world.context.matchingWake.notify()
        try await world.reaches(within: .seconds(7200)) { try await world.outcome(1) == .reported }
      }
      #expect(world.done.count == 1 && world.violations.isEmpty)
    }

    @Test func whatQualifiesAgainWhileTheAPIIsAskedIsNotCancelled() async throws {
      let world = try await cancelledAfterDoubt()
      let gets = Mutex(0)
      world.api.state.withLock {
        $0.onGet = { _ in
          let count = gets.withLock { gets in
            gets += 1
            return gets
          }
          // The first is for the account, the second too early to tell, the third a quarter of an hour later.
          guard count == 3 else { return }
          world.shop.change(OrderKey("1")) { $0.qualifies = true }
          try? await world.takeShop()
        }
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(7200)) { try await world.outcome(1) == .reported }
      }
      #expect(gets.withLock { $0 } >= 3 && world.done.count == 1 && world.violations.isEmpty)
      world.api.state.withLock { $0.onGet = nil }
    }

    @Test func ordersThatAlwaysFailDoNotHoldUpTheOthers() async throws {
      let world = try await World.queued(3)
      world.api.state.withLock { $0.poisoned = ["order_1", "order_2", "order_3"] }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(.seconds(7200))
        try await world.queue(4)
        world.context.deliveryWake.notify()
        try await world.reaches(within: day * 2) { try await world.outcome(4) == .reported }
      }
    }

    @Test(arguments: [503, 429]) func aDayThatTheAPIAsksForIsToldToTheLog(status: Int) async throws {
      let world = try await World.queued(2, .status(status, code: "WAIT", retryAfter: day))
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { !world.sent.isEmpty }
        try await world.pass(.seconds(60))
      }
      let lines = world.lines.all.filter { $0.level >= .notice }
      #expect(lines.count == 1, "\(lines.map(\.message))")
    }

    @Test func aWaitThatTheAPIAsksForOutlastsWhatWasSentBefore() async throws {
      let world = try await World.queued(6)
      world.api.state.withLock {
        $0.convertLatency = .seconds(1)
        $0.convertFaults = [nil, .status(503, code: nil, retryAfter: .seconds(3600)), .slow(.seconds(3))]
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 3 }
        try await world.pass(.seconds(3500))
        #expect(world.sent.count == 3)
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 6] }
      }
    }

    @Test func nothingIsFrozenAnewBeforeTheCatchUpIsOver() async throws {
      let world = try await World.queued(1, .rateLimited)
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { try await world.attempts(1).first?.verdict != nil }
      }
      let again = try world.restarted()
      again.checkSends()
      try await CatchUp.begin(again.ledger)
      // While it was down the order changed, and an earlier one of the same friend came, which is not read yet.
      again.shop.change(OrderKey("1")) { $0.total = .amount("777", currency: "EUR") }
      let earlier = makeOrder(2, email: "friend1@example.com", placed: start - .seconds(600))
      again.shop.put(earlier)
      try await again.running([again.delivery, again.matching]) {
        try await again.pass(.seconds(600))
        #expect(again.sent.count == 1)
        try await again.take([.readable(earlier)])
        try await again.decideAll()
        try await again.endCatchUp()
        again.context.deliveryWake.notify()
        try await again.reaches(within: .seconds(600)) { try await again.outcomes()[.reported] == 1 }
      }
      #expect(try await again.outcome(2) == .reported && again.done.map(\.transactionID.text) == ["order_2"])
    }

    @Test func anotherAccountsOwnReferralsDoNotEndTheHalt() async throws {
      let world = try await World.queued(8)
      world.clock.advance(to: world.clock.uptime + .seconds(1))
      world.api.state.withLock { $0.table.removeAll() }
      for key in 1...9 { world.api.put(makeReferral("x\(key)", email: "stranger\(key)@example.com")) }
      try await world.running([world.delivery, world.matching, world.mirror]) { try await world.pass(day) }
      #expect(world.sent.isEmpty, "\(world.sent.count) sent")
      #expect(try await world.outcomes() == [.queued: 8])
      let again = try world.restarted()
      again.checkSends()
      try await again.running([again.delivery, again.matching, again.mirror]) { try await again.pass(.seconds(3600)) }
      #expect(again.sent.isEmpty)
      again.api.state.withLock { $0.table.removeAll() }
      for key in 1...8 { again.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com")) }
      try await again.running([again.delivery, again.matching, again.mirror]) {
        try await again.reaches(within: day) { try await again.outcomes() == [.reported: 8] }
      }
    }

    /// A partner who tries the programme with one friend, and deletes that referral.
    @Test func theOnlyOneThatRegisteredIsDeletedAndThatIsNoOtherAccount() async throws {
      let world = try await World.queued(1)
      world.api.put(makeReferral("click", .clicked, email: nil))
      try await world.mirrorAPI()
      let again = try world.restarted()
      _ = again.api.state.withLock { $0.table.remove(ReferralID("r1")) }
      try await again.running([again.delivery, again.matching]) { try await again.pass(.seconds(600)) }
      #expect(again.lines.of(.apiHalted).isEmpty && again.sent.isEmpty)
    }

    @Test func reportedReferralsThatWereDeletedAreNoOtherAccount() async throws {
      let world = try await World.queued(5)
      world.shop.put(makeOrder(6))
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(600)) { try await world.outcomes() == [.reported: 5] }
      }
      world.api.state.withLock { $0.table.removeAll() }
      let again = try world.restarted()
      again.checkSends()
      try await again.queue(6)
      try await again.running([again.delivery, again.matching]) {
        try await again.reaches(within: .seconds(3600)) { try await again.outcome(6) == .reported }
      }
    }

    @Test func oneReferralThatCannotBeReadDoesNotKeepSendingFromStarting() async throws {
      let world = try await World.queued(3)
      let api = world.api
      let asked = Mutex<ReferralID?>(nil)
      api.state.withLock {
        $0.onGet = { id in
          // Makes the API always fail on the referral that is asked for first.
          let first = asked.withLock { asked in
            asked = asked ?? id
            return asked
          }
          if id == first { api.state.withLock { $0.readFaults = [500] } }
        }
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: day) { try await world.outcomes() == [.reported: 3] }
      }
      api.state.withLock { $0.onGet = nil }
    }
  }
}
