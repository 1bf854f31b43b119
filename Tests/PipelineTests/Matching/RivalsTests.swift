import Conversions
import Ledger
import Synchronization
import TestHosts
import Testing

@testable import Pipeline

extension Loops {
  /// Several orders of one referral: one is reported, and which one is no accident.
  @Suite(.timeLimit(.minutes(5))) struct RivalsTests {
    private func rival(_ key: Int, placed: Duration, friend: Int = 1, keyText: String? = nil) -> OrderRow {
      .readable(makeOrder(key, email: "friend\(friend)@example.com", placed: start + placed, keyText: keyText))
    }

    private func world(hold: Duration = .zero, caughtUp: Bool) async throws -> World {
      let world = try World(rules: makeRules(hold: hold))
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.mirrorAPI()
      if caughtUp { try await world.endCatchUp() }
      return world
    }

    @Test func theFirstSeenWinsOnceCaughtUp() async throws {
      let world = try await world(caughtUp: true)
      try await world.take([rival(1, placed: .seconds(-10))])
      try await world.decideAll()
      try await world.take([rival(2, placed: .seconds(-900))])
      try await world.decideAll()
      #expect(try await world.outcomes(of: 1, 2) == [.queued, .waiting])
    }

    @Test func theEarliestPlacedWinsWhileItIsHeld() async throws {
      let world = try await world(hold: .seconds(3600), caughtUp: true)
      try await world.take([rival(1, placed: .seconds(-10))])
      try await world.decideAll()
      try await world.take([rival(2, placed: .seconds(-900))])
      try await world.decideAll()
      #expect(try await world.outcomes(of: 1, 2) == [.waiting, .held])
    }

    @Test func whatIsFrozenKeepsItsReferral() async throws {
      let world = try await world(caughtUp: false)
      try await world.take([rival(1, placed: .seconds(-10))])
      try await world.decideAll()
      let now = world.clock.now
      try await world.ledger.base.transaction { transaction in
        guard let order = try transaction.entry(EntryID(1)), let report = ConversionReport(of: order) else { return }
        _ = try transaction.beginSend(order.entry, report, at: now)
        _ = try transaction.recoverInterruptedSends(at: now)
      }
      try await world.take([rival(2, placed: .seconds(-900))])
      try await world.decideAll()
      #expect(try await world.order(1)?.claims == true)
      #expect(try await world.outcome(2) == .waiting)
    }

    @Test(arguments: 1...40)
    func theOrderOfReadingDecidesNothingInACatchUp(seed: Int) async throws {
      var chance = SeededGenerator(scenario: UInt64(seed))
      // Keys as shops have them: numbers, numbers with letters, and both; many placed in the same second.
      let texts = (1...36).map { number in
        switch number % 3 {
        case 0: "\(number)"
        case 1: "\(number)a"
        default: "A-\(number)"
        }
      }
      let rows = texts.enumerated().map { index, text in
        rival(index, placed: .seconds(-(index % 2)), friend: index % 4 + 1, keyText: text)
      }
      let claims = try await finalClaims(rows)
      for _ in 0..<2 {
        #expect(try await finalClaims(rows.shuffled(using: &chance), pageSize: chance.int(1...9)) == claims)
      }
      #expect(claims.count == 4)
    }

    /// Returns the order that holds each referral once everything was read, in pages, each decided before the next.
    private func finalClaims(_ rows: [OrderRow], pageSize: Int = 100) async throws -> [String: String] {
      let world = try World()
      for friend in 1...4 { world.api.put(makeReferral("r\(friend)", email: "friend\(friend)@example.com")) }
      try await world.mirrorAPI()
      var rest = rows[...]
      while !rest.isEmpty {
        try await world.take(Array(rest.prefix(pageSize)))
        rest = rest.dropFirst(pageSize)
        // Each decision can move each referral's claim once.
        #expect(try await world.decideAll(limit: 1000) <= 2 * rows.count)
      }
      return try await world.orders().reduce(into: [:]) { claims, order in
        if order.claims, let referral = order.referralID { claims[referral.text] = order.row.key.text }
      }
    }

    @Test func decidingRivalsEnds() async throws {
      let world = try await world(hold: .seconds(3600), caughtUp: false)
      // The latest first, so that each one takes the referral from the one before it.
      var decisions = 0
      for key in 1...60 {
        try await world.take([rival(key, placed: .seconds(-key))])
        decisions += try await world.decideAll(limit: 1000)
      }
      #expect(decisions <= 120, "each take-over wakes one order, once")
      try await world.mirrorAPI()
      world.api.change("r1") { $0.externalSourceID = "lead_1" }
      try await world.mirrorAPI()
      #expect(try await world.decideAll(limit: 1000) <= 120)
      #expect(try await world.outcomes() == [.held: 1, .waiting: 59])
    }

    @Test func aCancelledOrderLetsTheNextMoveUp() async throws {
      let world = try await world(caughtUp: true)
      try await world.haveMirror()
      for key in 1...3 {
        world.shop.put(makeOrder(key, email: "friend1@example.com", placed: start - .seconds(90 - key)))
      }
      try await world.running([world.intake, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcomes() == [.queued: 1, .waiting: 2] }
        #expect(try await world.outcome(1) == .queued)
        world.shop.change(OrderKey("1")) { $0.qualifies = false }
        try await world.reaches(within: .seconds(60)) { try await world.outcome(2) == .queued }
        #expect(try await world.outcomes(of: 1, 3) == [.cancelled, .waiting])
      }
    }

    @Test func rivalsAreSupersededOnceTheReferralIsConverted() async throws {
      let world = try await world(caughtUp: true)
      for key in 1...3 {
        world.shop.put(makeOrder(key, email: "friend1@example.com", placed: start - .seconds(90 - key)))
      }
      try await world.running([world.intake, world.matching, world.delivery, world.mirror]) {
        try await world.reaches(within: .seconds(120)) { try await world.outcomes() == [.reported: 1, .superseded: 2] }
      }
      #expect(world.api.state.withLock { $0.sent.count } == 1)
    }

    @Test func aRivalMovesUpWithoutTheShop() async throws {
      // The delivery's own re-read finds that the order is gone; the shop is not read otherwise.
      let world = try await world(caughtUp: true)
      for key in 1...2 {
        world.shop.put(makeOrder(key, email: "friend1@example.com", placed: start - .seconds(90 - key)))
      }
      try await world.takeShop()
      try await world.decideAll()
      world.shop.remove(OrderKey("1"))
      try await world.running([world.matching, world.delivery]) {
        try await world.reaches(within: .seconds(30)) { try await world.outcome(2) == .reported }
      }
      #expect(try await world.order(1)?.reason == DecisionReason.gone)
    }
  }
}
