import Conversions
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Keys that change between the reading of an order and its send, and answers that don't tell.
  @Suite(.timeLimit(.minutes(5))) struct ChangedBeforeTheSendTests {
    private func paid(_ world: World, within limit: Duration = .seconds(3600)) async throws -> [String] {
      try await world.running([world.delivery, world.matching, world.mirror]) {
        try await world.reaches(within: limit) { try await world.outcome(1) == .reported }
      }
      #expect(world.violations.isEmpty)
      return world.done.map(\.referralID.text)
    }

    @Test func keysThatTheRowGainsBeforeTheSendAreAskedForAsWell() async throws {
      let world = try World()
      world.api.put(makeReferral("r2", email: "other@example.com", created: start - day * 40))
      try await world.queue(1)
      world.checkSends()
      world.api.change("r2") { $0.externalSourceID = "lead_9" }
      world.shop.change(OrderKey("1")) { $0.externalSourceID = ExternalSourceID("lead_9") }
      #expect(try await paid(world) == ["r2"])
    }

    @Test func aKeyThatIsPutBackIsBelievedAlthoughItsOwnAnswerLatelySaidOtherwise() async throws {
      let world = try World()
      world.api.put(
        makeReferral("r2", email: "other@example.com", created: start - day * 40, external: "lead_9"))
      try await world.queue(1)
      world.clock.advance(to: world.clock.uptime + .seconds(5))
      world.api.change("r2") { $0.externalSourceID = "lead_7" }
      try await ReferralReader(context: world.context).referral(ReferralID("r2"))
      world.api.change("r2") { $0.externalSourceID = "lead_9" }
      world.clock.advance(to: world.clock.uptime + .seconds(5))
      world.shop.change(OrderKey("1")) { $0.externalSourceID = ExternalSourceID("lead_9") }
      try await world.takeShop()
      try await world.decideAll()
      world.checkSends()
      #expect(try await world.order(1)?.referralID?.text == "r1")
      #expect(try await paid(world) == ["r2"])
    }

    @Test(arguments: [1700, 2700]) func searchesThatTakeTooLongTogetherAreToldAndTheOrderGoesOn(
      milliseconds: Int
    ) async throws {
      let world = try World()
      world.api.put(makeReferral("r1", email: "friend1@example.com", external: "lead_1"))
      try await world.queue(1)
      world.api.change("r1") { $0.externalSourceID = "lead_1" }
      world.shop.change(OrderKey("1")) { $0.externalSourceID = ExternalSourceID("lead_1") }
      try await world.takeShop()
      try await world.mirrorAPI()
      try await world.decideAll()
      world.checkSends()
      world.api.state.withLock { $0.listLatency = .milliseconds(milliseconds) }
      #expect(try await paid(world) == ["r1"])
      #expect(world.lines.of(.searchDoubted).isEmpty == (milliseconds < 2000))
    }

    @Test func whatTheAPIRejectedIsDecidedAnewOnceItsRowIsCorrected() async throws {
      let world = try await World.queued(1, .status(400, code: "VALIDATION_ERROR"))
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.order(1)?.reason == "rejected" }
      }
      world.shop.change(OrderKey("1")) { $0.total = .amount("777", currency: "EUR") }
      try await world.takeShop()
      #expect(try await paid(world) == ["r1"])
      #expect(world.done.map(\.value) == [777])
    }

    /// The API has the address as people write it, and the search finds what is written.
    @Test func addressesWithLettersBeyondASCIIInTheirDomainWaitForAWalk() async throws {
      let world = try World()
      world.api.put(makeReferral("click", .clicked, email: nil, created: start - day * 20))
      world.api.put(makeReferral("later", email: "ana@xn--mller-kva.de", created: start - day * 5))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      world.shop.put(makeOrder(1, email: "ana@müller.de"))
      try await world.takeShop()
      try await world.decideAll()
      world.checkSends()
      #expect(try await world.order(1)?.referralID?.text == "later")
      world.api.change("click") { ($0.friendEmail, $0.status) = ("ana@müller.de", .pending) }
      try await world.running([world.delivery, world.matching, world.mirror]) {
        try await world.reaches(within: .seconds(3600)) { try await world.outcome(1) == .review }
      }
      // Two forms of one address: a person is asked whose it is.
      #expect(world.sent.isEmpty)
    }
  }
}
