import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Walks over all open referrals that orders wait for.
  @Suite(.timeLimit(.minutes(5))) struct OpenWalkTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    /// Makes the mirror walk for an order that was just seen.
    private func want(_ world: World) async throws {
      let now = world.clock.now
      try await world.ledger.base.transaction { try $0.changeMirrorProgress { $0.wantOpenWalk(at: now) } }
      world.context.mirrorWake.notify()
    }

    private func queries(_ world: World) -> [ReferralQuery] { world.api.state.withLock { $0.queries } }

    /// Counts the walks over all open referrals, and the full sweeps, that have begun.
    private func walksBegun(_ world: World) -> Int {
      queries(world).count { $0.status == .clicked && $0.dateFrom == nil }
    }

    /// A mirror of so many open referrals that is current.
    private func current(_ count: Int, _ body: (World) async throws -> Void) async throws {
      let world = try World()
      for number in 0..<count {
        let created = start - day - .seconds(count - number)
        world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com", created: created))
      }
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(300)) { try await progress(world).currentSince != nil }
        try await world.pass(.seconds(60))
        world.api.state.withLock { $0.queries = [] }
        try await body(world)
      }
    }

    private func reachesWalk(
      _ world: World, after time: Timestamp, within limit: Duration, _ location: SourceLocation = #_sourceLocation
    ) async throws {
      try await world.reaches(within: limit, sourceLocation: location) {
        try await progress(world).openWalkBeganAt.map { $0 > time } ?? false
      }
    }

    @Test func aFullSweepIsOne() async throws {
      let world = try World()
      try await world.mirror.sweep()
      let known = try await progress(world)
      #expect(known.openWalkBeganAt != nil && known.openWalkBeganAt == known.completeSweepBeganAt)
      let again = try world.restarted()
      #expect(try await progress(again).openWalkBeganAt == known.openWalkBeganAt)
    }

    @Test func itShowsAnOldReferralThatGainedItsKeyAndOneThatWasConvertedMeanwhile() async throws {
      try await current(1000) { world in
        world.api.change("r7") { $0.externalSourceID = "lead_7" }
        world.api.change("r900") { $0.externalSourceID = "lead_900" }
        let seenAt = world.clock.now
        try await want(world)
        world.api.state.withLock { state in
          // Converted between the walk's first pages and the one that would have shown it.
          state.onList = { [api = world.api] query in
            guard query.status == .pending, query.dateFrom != nil, query.sortBy == .createdAt else { return }
            api.convertElsewhere("r900")
          }
        }
        try await reachesWalk(world, after: seenAt - .milliseconds(1), within: .seconds(120))
        let known = try await world.ledger.base.transaction { transaction in
          try ["r7", "r900"].map { try transaction.referral(ReferralID($0)) }
        }
        #expect(known.map { $0?.externalSourceID?.text } == ["lead_7", "lead_900"])
        #expect(known.map { $0?.status } == [.pending, .converted])
      }
    }

    @Test func oneServesAllThatWaitAndOneMoreThoseThatCameMeanwhile() async throws {
      try await current(3000) { world in
        world.api.state.withLock { $0.listLatency = .milliseconds(200) }
        try await world.pass(.seconds(1))
        for _ in 0..<3 { try await want(world) }
        try await world.reaches(within: .seconds(30)) { walksBegun(world) == 1 }
        for _ in 0..<20 {
          try await world.pass(.seconds(1))
          try await want(world)
        }
        #expect(walksBegun(world) == 1, "it doesn't start over")
        let last = world.clock.now
        try await reachesWalk(world, after: last, within: .seconds(400))
        #expect(walksBegun(world) == 2)
        try await world.pass(.seconds(3600))
        #expect(walksBegun(world) == 2, "nobody waits any more")
      }
    }

    @Test func theYoungAreNotLateForIt() async throws {
      try await current(20_000) { world in
        world.api.state.withLock { $0.listLatency = .milliseconds(100) }
        var youngAt: [Duration] = []
        let (began, seenAt) = (world.clock.uptime, world.clock.now)
        try await want(world)
        try await world.reaches(within: .seconds(600)) {
          let known = world.clock.now - .seconds(1000)
          let isYoung = queries(world).last.map { $0.status == .clicked && ($0.dateFrom.map { $0 > known } ?? false) }
          if isYoung ?? false { youngAt.append(world.clock.uptime) }
          return try await progress(world).openWalkBeganAt.map { $0 >= seenAt } ?? false
        }
        let took = world.clock.uptime - began
        #expect(took > .seconds(180), "200 pages at 60 a minute")
        #expect(Double(queries(world).count) <= took.inSeconds + 15, "the mirror's half of 120 a minute")
        let gaps = zip([began] + youngAt, youngAt + [world.clock.uptime]).map { $1 - $0 }
        #expect(try #require(gaps.max()) < .seconds(40))
      }
    }

    @Test func aListThatLiesEndsWhatWasKnown() async throws {
      try await current(300) { world in
        #expect(try await progress(world).openWalkBeganAt != nil)
        world.api.state.withLock { $0.table.lie = .unsorted }
        try await want(world)
        try await world.reaches(within: .seconds(120)) { try await progress(world).distrust != nil }
        #expect(try await progress(world).openWalkBeganAt == nil)
        world.api.state.withLock { $0.queries = [] }
        try await world.pass(.seconds(600))
        #expect(try await progress(world).openWalkBeganAt == nil)
        world.api.state.withLock { $0.table.lie = nil }
        try await world.reaches(within: .seconds(1200)) { try await progress(world).openWalkBeganAt != nil }
        #expect(try await progress(world).distrust == nil)
      }
    }

    @Test func aClockThatWasSetEndsWhatWasKnown() async throws {
      let world = try World()
      try await world.mirror.sweep()
      try await want(world)
      try await ReferralReader(context: world.context).forgetWhatLiesAhead()
      #expect(try await progress(world).openWalkBeganAt == nil)
    }

    /// The orders of three weeks, of which another program has converted every referral.
    @Test func twentyThousandOrdersWaitForTwoWalksAtMost() async throws {
      try await current(2000) { world in
        let count = 20_000
        let seenAt = world.clock.now
        var waiting = 0
        try await world.ledger.base.transaction { transaction in
          for key in 1...count {
            _ = try transaction.insert(
              .readable(makeOrder(key)), Decision(.waiting, reason: DecisionReason.mirrorBehind), seenAt: seenAt,
              isBackfill: false)
          }
        }
        // Decides orders as matching does, a batch at a time.
        let decideAll = { () async throws -> Bool in
          let now = world.clock.now
          waiting -= try await world.ledger.base.transaction { transaction in
            let known = try transaction.mirrorProgress().openWalkBeganAt
            let batch = try transaction.undecided(at: now, limit: 500)
            let hasSeenAll = known.map { $0 > seenAt } ?? false
            for order in batch {
              let outcome: Outcome = hasSeenAll ? .superseded : .waiting
              let reason = hasSeenAll ? DecisionReason.alreadyConverted : DecisionReason.mirrorBehind
              try transaction.decide(order.entry, Decision(outcome, reason: reason), at: now)
            }
            if !batch.isEmpty, !hasSeenAll { try transaction.changeMirrorProgress { $0.wantOpenWalk(at: seenAt) } }
            return hasSeenAll ? batch.count : 0
          }
          return waiting == 0
        }
        waiting = count
        try await want(world)
        try await world.reaches(within: .seconds(900), decideAll)
        #expect(waiting == 0 && walksBegun(world) <= 2, "\(waiting) wait after \(walksBegun(world))")
      }
    }
  }
}
