import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// A referral that was made seconds before its order, and that no walk has shown yet when the order is to be sent.
  @Suite(.timeLimit(.minutes(5))) struct FreshnessTests {
    /// An order that an older referral was found for, and a younger one that only the API knows.
    private func world(
      _ rules: AttributionRules, young: Referral, external: String? = nil
    ) async throws -> World {
      let world = try World(rules: rules)
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      world.clock.advance(to: world.clock.uptime + .seconds(8))
      world.api.put(young)
      let order = makeOrder(1, email: "friend1@example.com", external: external, placed: start + .seconds(8))
      world.shop.put(order)
      try await world.takeShop()
      try await world.decideAll()
      #expect(try await world.order(1)?.referralID == ReferralID("old"))
      world.checkSends()
      return world
    }

    private func sends(_ world: World) async throws -> [String] {
      let uptime = world.clock.uptime
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcome(1) == .reported }
        #expect(world.clock.uptime == uptime, "no time is lost over it")
      }
      #expect(world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
      return world.done.map(\.referralID.text)
    }

    @Test(arguments: [ReferralStatus.clicked, .pending])
    func theYoungerOneIsChosen(status: ReferralStatus) async throws {
      let young = makeReferral("young", status, email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      #expect(try await sends(world) == ["young"])
      #expect(world.api.state.withLock { $0.queries.map(\.search) } == ["friend1@example.com"])
    }

    @Test func theOneWithTheKeyOfHigherPrecedenceIsChosen() async throws {
      let young = makeReferral("young", email: nil, created: start + .seconds(5), external: "lead_1")
      let world = try await world(makeRules(), young: young, external: "lead_1")
      #expect(try await sends(world) == ["young"])
    }

    /// No walk over open referrals ever shows it.
    @Test func theYoungerOneThatAnotherProgramHasConvertedIsChosen() async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      world.api.convertElsewhere("young")
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.order(1)?.referralID == ReferralID("young") }
        try await world.quiet()
      }
      #expect(world.sent.isEmpty)
      #expect([.waiting, .superseded].contains(try await world.outcome(1)))
    }

    @Test func theOlderOneStaysChosenWhereTheRulesSaySo() async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      #expect(try await sends(try await world(makeRules(), young: young)) == ["old"])
    }

    @Test(arguments: [500, 0, -1])
    func whatCannotBeReadPutsTheOrderOff(fault: Int) async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      // The first read is for the account.
      world.api.state.withLock { $0.readFaults = [nil] + Array(repeating: fault, count: 4) }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(10)) { try await world.order(1)?.reason == "referral_unread" }
        #expect(try await world.order(1)?.detail?.hasPrefix("asked for its referrals: ") == true)
        #expect(world.sent.isEmpty)
        try await world.reaches(within: .seconds(120)) { try await world.outcome(1) == .reported }
      }
      #expect(world.done.map(\.referralID.text) == ["young"])
    }

    @Test(arguments: [(401, "key_refused"), (403, "not_approved"), (302, "redirect")])
    func aRefusalHaltsSending(status: Int, reason: String) async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      world.api.state.withLock { $0.readFaults = [nil, status] }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(10)) { world.lines.of(.apiHalted).count == 1 }
        #expect(world.lines.of(.apiHalted).first?.reason == reason)
        #expect(try await world.outcome(1) == .queued && world.sent.isEmpty)
        try await world.reaches(within: .seconds(400)) { try await world.outcome(1) == .reported }
      }
      #expect(world.done.map(\.referralID.text) == ["young"])
    }

    @Test func aBrokenListIsNoMatterOfTheQuestion() async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      world.api.state.withLock { $0.table.lie = .ignoresStatus }
      #expect(try await sends(world) == ["young"])
    }

    /// A queue, and an API that is away for a time in which a younger referral of the same friend is made.
    private func afterAnOutage(
      _ length: Duration, made: Duration
    ) async throws -> World {
      let world = try World(rules: makeRules(choose: .last))
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      world.api.put(makeReferral("r2", email: "friend2@example.com"))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      world.shop.put(makeOrder(2, placed: start))
      try await world.takeShop()
      try await world.decideAll()
      world.checkSends()
      world.clock.advance(to: world.clock.uptime + made)
      let now = world.clock.now
      world.api.put(makeReferral("young", email: "friend1@example.com", created: now))
      world.clock.advance(to: world.clock.uptime + .seconds(30))
      world.shop.put(makeOrder(1, email: "friend1@example.com", placed: world.clock.now))
      try await world.takeShop()
      try await world.decideAll()
      #expect(try await world.order(1)?.referralID == ReferralID("old"))
      world.clock.advance(to: world.clock.uptime + (length - made - .seconds(30)))
      return world
    }

    @Test(arguments: [(600, 60), (3600, 3000), (7000, 600), (20 * 3600, 36_000), (40 * 86_400, 3600)])
    func afterAnOutageTheQuestionShowsTheReferralsMadeInIt(length: Int, made: Int) async throws {
      let world = try await afterAnOutage(.seconds(length), made: .seconds(made))
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcomes() == [.reported: 2] }
      }
      #expect(world.violations.isEmpty && Set(world.done.map(\.referralID.text)) == ["young", "r2"])
    }

    /// Made after one walk over open referrals and converted before the next; the newest conversions were read between.
    @Test func theYoungerOneConvertedBetweenTheConversionsAndTheNextOpenWalkIsChosen() async throws {
      // Made at 5, the order seen at 8.
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      let note = { @Sendable (tier: WalkTier) async throws in
        let reading = ReferralReader(context: world.context)
        let (progress, now) = (try await reading.progress(), world.clock.now)
        let walk = WalkUnderWay(tier, isSafe: false, progress: progress, known: 0, now: now)
        try await reading.note(walk)
      }
      // As the mirror does: the newest conversions at 10, in which it is not, the open ones at 20, in which it is no
      // more.
      world.clock.advance(to: world.clock.uptime + .seconds(2))
      try await note(.conversions)
      world.clock.advance(to: world.clock.uptime + .seconds(5))
      world.api.convertElsewhere("young")
      world.clock.advance(to: world.clock.uptime + .seconds(5))
      try await note(.quarterHour)
      try await world.running([world.delivery, world.matching]) { try await world.pass(.seconds(60)) }
      #expect(world.sent.isEmpty, "\(world.sent.map(\.referralID.text))")
    }

    /// The same with nothing but the mirror's own walks, and an order that was held meanwhile.
    @Test func aHeldOrdersReferralConvertedBetweenTheMirrorsWalksIsChosen() async throws {
      let world = try World(rules: makeRules(hold: .seconds(45), choose: .last))
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      // Makes each page take a while, so that what happens during a walk happens after it began.
      world.api.state.withLock { $0.listLatency = .milliseconds(200) }
      let phase = Mutex((step: 0, conversionsAt: Timestamp?.none))
      let begins = world.clock.now + .seconds(600)
      world.api.state.withLock { state in
        state.onList = { [weak world] query in
          guard let world, world.clock.now > begins else { return }
          let now = world.clock.now
          let step = phase.withLock { phase in
            switch (phase.step, query.status) {
            case (0, .converted): phase.conversionsAt = now
            // The last walk over open referrals before the next one over the newest conversions.
            case (0, .pending) where phase.conversionsAt.map { now - $0 > .seconds(43) } ?? false: phase.step = 1
            case (1, .converted): phase.step = 2
            case (2, .clicked): phase.step = 3
            default: return 0
            }
            return phase.step
          }
          switch step {
          case 1:
            world.api.put(makeReferral("young", .clicked, email: "friend1@example.com", created: now))
            let order = makeOrder(1, email: "friend1@example.com", placed: now)
            world.shop.put(order)
            try? await world.take([.readable(order)])
            world.context.matchingWake.notify()
          case 3: world.api.convertElsewhere("young")
          default: break
          }
        }
      }
      try await world.running([world.mirror, world.delivery, world.matching]) { try await world.pass(.seconds(1800)) }
      #expect(phase.withLock { $0.step } == 3)
      #expect(world.sent.isEmpty, "\(world.sent.map(\.referralID.text))")
    }

    /// A list of conversions that is found broken is no reason to believe that no referral is missing.
    @Test func aListOfConversionsThatLiesMakesNobodyKnown() async throws {
      let young = makeReferral("young", email: "friend1@example.com", created: start + .seconds(5))
      let world = try await world(makeRules(choose: .last), young: young)
      world.api.convertElsewhere("young")
      for number in 0..<120 {
        var earlier = makeReferral("c\(number)", .converted, email: nil, created: start - day * 2)
        earlier.convertedAt = start - day + .seconds(number)
        world.api.put(earlier)
      }
      world.api.state.withLock { $0.table.lie = .unsorted }
      try await world.running([world.delivery, world.matching]) { try await world.pass(.seconds(60)) }
      #expect(world.sent.isEmpty, "\(world.sent.map(\.referralID.text))")
    }

    /// A shop of 300 conversions a minute, its own: they are no news to it.
    @Test func aLookBeforeASendReadsNoMoreWhereManyWereConvertedLately() async throws {
      let world = try await world(makeRules(), young: makeReferral("other", email: nil))
      for number in 0..<4500 {
        var earlier = makeReferral("c\(number)", .converted, email: nil, created: start - day * 2)
        earlier.convertedAt = start - .milliseconds(200 * number)
        world.api.put(earlier)
      }
      try await world.mirrorAPI()
      try await world.ledger.base.transaction { transaction in
        var progress = try transaction.mirrorProgress()
        progress.conversionsKnownTo = start
        try transaction.setMirrorProgress(progress)
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcome(1) == .reported }
      }
      let reads = world.api.state.withLock { $0.queries.count }
      #expect(reads <= 10, "\(reads)")
    }
  }
}
