import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// The join with two sides, and what time brings.
  @Suite(.timeLimit(.minutes(5))) struct MatchingTests {
    @Test func anOrderFindsItsReferral() async throws {
      let world = try World()
      try await world.take([.readable(makeOrder(1)), .readable(makeOrder(2, external: "lead_2"))])
      world.api.put(makeReferral("r1", email: " Friend1@Example.com"))
      world.api.put(makeReferral("r2", email: nil, external: "lead_2"))
      try await world.mirrorAPI()
      try await world.decideAll()
      #expect(try await world.order(1)?.referralID?.text == "r1")
      #expect(try await world.order(2)?.referralID?.text == "r2")
    }

    @Test func aReferralWakesOrdersThatWaited() async throws {
      let world = try World()
      try await world.take([.readable(makeOrder(1))])
      world.api.state.withLock { $0.listLatency = .seconds(1) }
      try await world.running([world.mirror, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcome(1) == .waiting }
        world.api.put(makeReferral("r1", email: "friend1@example.com"))
        try await world.reaches(within: .seconds(120)) { try await world.outcome(1) == .queued }
        // Its status, seen by the next sweep, decides it again.
        world.api.convertElsewhere("r1")
        try await world.reaches(within: .seconds(120)) { try await world.outcome(1) == .superseded }
      }
    }

    /// A friend's referral that is converted, and one by external ID that only the API knows.
    private func worldOfAConvertedReferral() async throws -> World {
      let world = try World()
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      world.api.convertElsewhere("old")
      try await world.mirrorAPI()
      try await world.ledger.base.transaction { transaction in
        var mirror = try transaction.mirrorProgress()
        mirror.conversionsKnownTo = start
        try transaction.setMirrorProgress(mirror)
      }
      world.clock.advance(to: world.clock.uptime + .seconds(60))
      world.api.put(makeReferral("mine", email: nil, created: start + .seconds(50), external: "lead_1"))
      return world
    }

    /// It is final: what converted the referral may have been this very purchase, so nothing wakes the order again.
    @Test func supersededIsSaidOnlyWhereNoOtherReferralCanBeTheOrders() async throws {
      let world = try await worldOfAConvertedReferral()
      world.api.state.withLock { $0.down = .refused }
      try await world.take([
        .readable(makeOrder(1, external: "lead_1", placed: start + .seconds(55))),
        .readable(makeOrder(2, email: "friend1@example.com", placed: start + .seconds(55))),
      ])
      let before = world.ledger.state.withLock { $0.count }
      try await world.running([world.mirror, world.matching]) {
        try await world.pass(.seconds(6 * 3600))
        for key in [1, 2] { #expect(try await world.order(key)?.reason == "mirror_behind") }
        #expect(world.ledger.state.withLock { $0.count } - before < 1000, "it isn't decided again and again")
        world.api.state.withLock { $0.down = nil }
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .queued }
        #expect(try await world.order(1)?.referralID?.text == "mine")
        try await world.reaches(within: .seconds(3700)) { try await world.outcome(2) == .superseded }
      }
    }

    /// By e-mail it is the converted one's, and by its external ID one's that is not known yet.
    @Test(arguments: [false, true])
    func anOrderThatWaitedForTheMirrorGetsItsOwnReferral(isRestarted: Bool) async throws {
      var world = try await worldOfAConvertedReferral()
      try await world.take([.readable(makeOrder(1, external: "lead_1", placed: start + .seconds(55)))])
      try await world.decideAll()
      #expect(try await world.order(1)?.reason == "mirror_behind")
      if isRestarted { world = try world.restarted() }
      try await world.running([world.mirror, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcome(1) == .queued }
      }
      #expect(try await world.order(1)?.referralID?.text == "mine")
    }

    @Test func noReferralIsSaidOnlyAfterACompleteSweepThatBeganLater() async throws {
      let world = try World(rules: makeRules(wait: .seconds(3600)))
      try await world.take([.readable(makeOrder(1, placed: start - .seconds(7200)))])
      // Reads fail: the window is long over, and still nothing may be said.
      world.api.state.withLock { $0.readFaults = Array(repeating: 500, count: 10_000) }
      try await world.running([world.mirror, world.matching]) {
        try await world.pass(.seconds(600))
        #expect(try await world.order(1)?.reason == DecisionReason.mirrorIncomplete)
        world.api.state.withLock { $0.readFaults = [] }
        try await world.reaches(within: .seconds(300)) { try await world.counts()[.noReferral] == 1 }
      }
    }

    @Test func theWindowCountsFromPlacing() async throws {
      let world = try World(rules: makeRules(wait: .seconds(3600)))
      try await world.endCatchUp()
      try await world.take([.readable(makeOrder(1, placed: start))])
      try await world.running([world.mirror, world.matching]) {
        try await world.pass(.seconds(3500))
        #expect(try await world.outcome(1) == .waiting)
        try await world.reaches(within: .seconds(400)) { try await world.counts()[.noReferral] == 1 }
      }
    }

    @Test func aHoldIsKept() async throws {
      let world = try World(rules: makeRules(hold: .seconds(900)))
      try await world.endCatchUp()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.take([.readable(makeOrder(1, placed: start))])
      try await world.mirrorAPI()
      try await world.running([world.matching]) {
        try await world.pass(.seconds(890))
        #expect(try await world.outcome(1) == .held)
        try await world.reaches(within: .seconds(30)) { try await world.outcome(1) == .queued }
      }
    }

    @Test func decidingTwiceChangesNothing() async throws {
      let world = try World(rules: makeRules(hold: .seconds(30)))
      for key in 1...30 {
        world.api.put(makeReferral("r\(key)", email: "friend\(key % 10)@example.com", created: start - day * (key % 3)))
        try await world.take([.readable(makeOrder(key, email: "friend\(key % 12)@example.com", total: key % 4 * 100))])
      }
      try await world.mirrorAPI()
      try await world.decideAll()
      let before = try await world.orders()
      try await world.ledger.base.transaction { transaction in
        let decider = try OrderDecider(
          transaction, rules: world.rules, now: world.clock.now, isTimeConfirmed: true)
        for order in before {
          let again = try decider.decide(order)
          try transaction.decide(order.entry, again, at: world.clock.now)
        }
      }
      try await world.decideAll()
      #expect(try await world.orders() == before)
    }

    @Test func moreThanABatchIsDecided() async throws {
      let world = try World()
      try await world.endCatchUp()
      let rows = (1...(Matching.batchMax * 2 + 7)).map { OrderRow.readable(makeOrder($0)) }
      try await world.take(rows)
      try await world.running([world.matching]) { try await world.pass(.seconds(1)) }
      #expect(try await world.outcomes() == [.waiting: rows.count])
    }

    @Test func theLedgersFailureIsWaitedOutAndOver() async throws {
      let world = try World()
      try await world.take([.readable(makeOrder(1))])
      world.ledger.state.withLock { $0.isFull = true }
      try await world.running([world.matching]) {
        try await world.pass(.seconds(300))
        #expect(world.lines.of(.ledgerFailed).count == 1)
        #expect(world.context.health.snapshot()[.ledger]?.isWorking == false)
        world.ledger.state.withLock { $0.isFull = false }
        try await world.reaches(within: .seconds(120)) { try await world.order(1)?.decidedAt != nil }
        try await world.quiet()
        #expect(world.lines.of(.ledgerRecovered).count == 1)
        #expect(world.context.health.snapshot()[.ledger]?.isWorking == true)
      }
    }
  }
}
