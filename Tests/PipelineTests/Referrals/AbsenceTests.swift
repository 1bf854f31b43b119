import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Open referrals that a full sweep does not show.
  @Suite(.timeLimit(.minutes(5))) struct AbsenceTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    private func referral(_ world: World, _ id: String) async throws -> MirroredReferral? {
      try await world.ledger.base.transaction { try $0.referral(ReferralID(id)) }
    }

    private func swept(_ count: Int) async throws -> World {
      let world = try World()
      for number in 1...count {
        world.api.put(
          makeReferral("r\(number)", email: "friend\(number)@example.com", created: start - day - .seconds(number)))
      }
      try await sweep(world)
      return world
    }

    private func sweep(_ world: World, after wait: Duration = .seconds(10)) async throws {
      world.clock.advance(to: world.clock.uptime + wait)
      try await world.mirror.sweep()
    }

    @Test func oneThatIsOnlyNotShownStaysOpen() async throws {
      let world = try await swept(3)
      world.api.state.withLock { $0.table.hidden = [ReferralID("r1")] }
      try await sweep(world)
      #expect(world.api.state.withLock { $0.gets.map(\.text) } == ["r1"])
      let mirrored = try await referral(world, "r1")
      #expect(mirrored?.status == .pending && mirrored?.goneAt == nil && mirrored?.seenAt == world.clock.now)
      #expect(try await progress(world).distrust == nil)
    }

    @Test func oneThatIsGoneTakesNoPartUntilItIsShownAgain() async throws {
      let world = try await swept(3)
      world.api.put(makeReferral("later", email: "friend1@example.com", created: start - .seconds(600)))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      try await world.take([.readable(makeOrder(1))])
      try await world.decideAll()
      #expect(try await world.order(1)?.referralID == ReferralID("r1"))
      let gone = try #require(world.api.state.withLock { $0.table.remove(ReferralID("r1")) })
      try await sweep(world)
      try await world.decideAll()
      #expect(try await referral(world, "r1")?.goneAt != nil)
      #expect(try await world.order(1)?.referralID == ReferralID("later"))
      #expect(world.lines.of(.referralGone).count == 1)
      let entry = try #require(try await world.order(1)).entry
      let verdicts = try await world.ledger.base.transaction { try $0.candidates(of: entry).map(\.verdict) }
      #expect(Set(verdicts) == [.gone, .chosen], "it stays known")
      world.api.put(gone)
      try await sweep(world)
      try await world.decideAll()
      #expect(try await world.order(1)?.referralID == ReferralID("r1"))
    }

    @Test(arguments: [500, 403, 0])
    func onlyAClearAnswerBuriesAReferral(fault: Int) async throws {
      let world = try await swept(3)
      _ = world.api.state.withLock { $0.table.remove(ReferralID("r1")) }
      // Five lists, then the one that is asked for.
      world.api.state.withLock { $0.readFaults = Array(repeating: nil, count: 5) + [fault] }
      _ = try? await sweep(world)
      #expect(world.api.state.withLock { $0.gets.count } == 1)
      #expect(try await referral(world, "r1")?.goneAt == nil)
    }

    @Test func noReferralIsGoneWhileSendingIsHalted() async throws {
      let world = try await swept(3)
      try await world.ledger.base.transaction {
        try $0.setSendingHalt(SendingHalt(reason: .accountChanged, detail: "test", since: start))
      }
      _ = world.api.state.withLock { $0.table.remove(ReferralID("r1")) }
      try await sweep(world)
      #expect(world.api.state.withLock { $0.gets.count } == 1)
      #expect(try await referral(world, "r1")?.goneAt == nil)
    }

    @Test func aMassAbsenceAlertsAndRemovesNothing() async throws {
      let world = try await swept(100)
      let complete = try await progress(world).completeSweepBeganAt
      let removed = world.api.state.withLock { state in
        (1...30).compactMap { state.table.remove(ReferralID("r\($0)")) }
      }
      for _ in 0..<3 { try await sweep(world, after: .seconds(400)) }
      #expect(try await progress(world).distrust?.contains("30 of 100") == true)
      #expect(try await progress(world).completeSweepBeganAt == complete)
      #expect(world.lines.of(.mirrorDistrusted).count == 1)
      for number in 1...30 { #expect(try await referral(world, "r\(number)")?.goneAt == nil) }
      for referral in removed { world.api.put(referral) }
      try await sweep(world)
      #expect(try await progress(world).distrust == nil && world.lines.of(.mirrorTrusted).count == 1)
    }

    @Test func aMassAbsenceThatLastsIsBelievedInTheEnd() async throws {
      let world = try await swept(100)
      world.api.state.withLock { state in
        for number in 1...30 { state.table.remove(ReferralID("r\(number)")) }
      }
      try await sweep(world)
      try await sweep(world, after: day * 6)
      #expect(try await progress(world).distrust != nil)
      for _ in 0..<2 { try await sweep(world, after: day * 2) }
      #expect(try await progress(world).distrust == nil)
      for number in 1...30 { #expect(try await referral(world, "r\(number)")?.goneAt != nil) }
    }

    @Test func theAbsentTakeTurns() async throws {
      let world = try await swept(2300)
      let hidden = Set((1...220).map { ReferralID("r\($0)") })
      world.api.state.withLock { $0.table.hidden = hidden }
      try await sweep(world)
      let first = Set(world.api.state.withLock { $0.gets })
      #expect(first.count == AbsentReferrals.askedMax)
      world.api.state.withLock { $0.gets = [] }
      try await sweep(world)
      let next = world.api.state.withLock { $0.gets.prefix(20) }
      #expect(Set(next) == hidden.subtracting(first), "those first that were not asked for before")
    }
  }
}
