import Conversions
import Ledger
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// The mirror's memory, and what it makes of it.
  @Suite(.timeLimit(.minutes(5))) struct MirrorProgressTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    private func referral(_ world: World, _ id: String) async throws -> MirroredReferral? {
      try await world.ledger.base.transaction { try $0.referral(ReferralID(id)) }
    }

    private func statuses(_ world: World) -> Set<ReferralStatus?> {
      world.api.state.withLock { Set($0.queries.map(\.status)) }
    }

    /// A mirror that has done its first sweep, and then was down for a while.
    private func restarted(after down: Duration) async throws -> World {
      let world = try World()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
      }
      let again = try world.restarted()
      again.clock.advance(to: again.clock.uptime + down)
      try await CatchUp.begin(again.ledger)
      again.api.state.withLock { $0.queries = [] }
      return again
    }

    @Test func aRestartGoesOnWhereTheMirrorWas() async throws {
      let world = try await restarted(after: .seconds(600))
      let before = try await progress(world)
      #expect(before.completeSweepBeganAt != nil && before.currentSince == nil)
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
      }
      #expect(statuses(world) == [.clicked, .pending, .converted], "no full sweep")
      #expect(world.api.state.withLock { $0.queries.allSatisfy { $0.dateFrom != nil || $0.sortBy == .convertedAt } })
      #expect(try await progress(world).completeSweepBeganAt == before.completeSweepBeganAt)
    }

    @Test func aFullSweepThatIsDueComesFirst() async throws {
      let world = try await restarted(after: day)
      let before = try await progress(world)
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
      }
      #expect(statuses(world).contains(.expired))
      let (complete, earlier) = (try await progress(world).completeSweepBeganAt, before.completeSweepBeganAt)
      #expect(try #require(complete) > #require(earlier))
    }

    /// Orders wait for it, and nothing else reads: at half the pace a hundred thousand referrals took twice as long.
    @Test func aSweepThatOrdersWaitForHasTheReadsToItself() async throws {
      let world = try await restarted(after: day * 7)
      for number in 2...3000 { world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com")) }
      let began = world.clock.uptime
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
        #expect(world.clock.uptime - began < .seconds(8), "as fast as the client lets it")
        // From then on it is one of several again.
        let queries = world.api.state.withLock { $0.queries.count }
        #expect(queries > 30)
        try await world.pass(.seconds(600))
        #expect(world.api.state.withLock { $0.queries.count } - queries < 600)
      }
    }

    @Test func nothingIsFrozenBeforeTheMirrorIsCurrent() async throws {
      let world = try await restarted(after: .seconds(600))
      world.shop.put(makeOrder(1))
      world.api.state.withLock { $0.readFaults = Array(repeating: 500, count: 10_000) }
      try await world.running([world.intake, world.mirror, world.matching, world.delivery]) {
        try await world.pass(.seconds(300))
        #expect(world.sent.isEmpty)
        world.api.state.withLock { $0.readFaults = [] }
        try await world.reaches(within: .seconds(300)) { try await world.outcome(1) == .reported }
      }
    }

    @Test func theFirstSweepWaitsForTheSurvey() async throws {
      let world = try World()
      try await world.running([world.mirror]) {
        try await world.pass(.seconds(4))
        #expect(world.api.state.withLock { $0.queries.isEmpty })
        world.context.surveyWake.notify()
        try await world.quiet()
        #expect(try await progress(world).completeSweepBeganAt == start + .seconds(4))
      }
    }

    @Test func aWantedSweepIsDone() async throws {
      let world = try await restarted(after: .seconds(600))
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
        let now = world.clock.now
        try await world.ledger.base.transaction { transaction in
          var progress = try transaction.mirrorProgress()
          progress.fullSweepWantedAt = now
          try transaction.setMirrorProgress(progress)
        }
        world.context.mirrorWake.notify()
        try await world.reaches(within: .seconds(30)) {
          try await progress(world).completeSweepBeganAt.map { $0 >= now } ?? false
        }
      }
    }

    @Test func aConversionOfAnOldReferralIsSeenBetweenTwoSweeps() async throws {
      let world = try World()
      for number in 0..<250 {
        world.api.put(makeReferral("r\(number)", email: nil, created: start - day * 100 - .seconds(number)))
        world.api.change("r\(number)") { ($0.status, $0.convertedAt) = (.converted, start - .seconds(number * 30)) }
      }
      world.api.put(makeReferral("old", email: "friend1@example.com", created: start - day * 80))
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
        try await world.pass(.seconds(1200))
        print(
          "DBG", try await progress(world),
          world.api.state.withLock { $0.queries.filter { $0.sortBy == .convertedAt }.count })
        world.api.convertElsewhere("old")
        world.api.state.withLock { $0.queries = [] }
        try await world.reaches(within: .seconds(90)) { try await referral(world, "old")?.status == .converted }
        let walked = world.api.state.withLock { $0.queries.filter { $0.sortBy == .convertedAt } }
        #expect(walked.allSatisfy { $0.page == 1 }, "back to the watermark and no further")
      }
    }

    @Test func everyStepOfAnOldReferralIsSeenInTime() async throws {
      let world = try World()
      world.api.put(makeReferral("old", .clicked, email: nil, created: start - day * 20))
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
        world.api.change("old") { $0.friendEmail = "friend1@example.com" }
        try await world.reaches(within: .seconds(2 * 3600 + 60)) { try await referral(world, "old")?.email != nil }
      }
    }

    @Test func whatDoesNotChangeIsHardlyWritten() async throws {
      let world = try World()
      world.api.put(makeReferral("r1", email: "friend1@example.com", created: start - .seconds(60)))
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).currentSince != nil }
        let seen = try await referral(world, "r1")?.seenAt
        try await world.pass(.seconds(250))
        #expect(try await referral(world, "r1")?.seenAt == seen)
        try await world.pass(.seconds(350))
        let age = world.clock.now - (try #require(try await referral(world, "r1")).seenAt)
        #expect(age < .seconds(600), "young enough to be sent for")
      }
    }

    @Test(arguments: [Duration.seconds(95), .seconds(-3600), .zero])
    func theClocksDifferenceIsMeasured(ahead: Duration) async throws {
      let world = try World()
      world.api.state.withLock { $0.clockAhead = ahead }
      // The shop's clock is the host's: else no clock would tell which is right.
      try await world.running([world.intake, world.mirror]) { try await world.pass(.seconds(600)) }
      let measured = try #require(try await progress(world).clockAhead)
      #expect(abs((measured - ahead).inSeconds) <= 1)
    }

    @Test func anOlderAnswerOpensNothingAgain() async throws {
      let world = try World()
      let referral = makeReferral("r1", email: "friend1@example.com")
      var converted = referral
      (converted.status, converted.convertedAt) = (.converted, start)
      try await world.ledger.base.transaction { [converted] transaction in
        _ = try transaction.record(converted, seenAt: start)
        // Asked for before, answered after.
        _ = try transaction.record(
          referral, seenAt: start + .seconds(2), askedAt: start - .seconds(1), unlessSeenSince: start)
      }
      #expect(try await self.referral(world, "r1")?.status == .converted)
    }
  }
}
