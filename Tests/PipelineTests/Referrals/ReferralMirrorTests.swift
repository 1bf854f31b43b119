import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// The loop around the walks.
  @Suite(.timeLimit(.minutes(5))) struct ReferralMirrorTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    @Test func aSweepThatFailedIsNoSweep() async throws {
      for failing in 0..<5 {
        let world = try World()
        world.api.put(makeReferral("r1", email: "friend1@example.com"))
        world.api.state.withLock { $0.readFaults = Array(repeating: nil, count: failing) + [500] }
        await #expect(throws: ReadFailure.self) { try await world.mirror.sweep() }
        #expect(try await progress(world).completeSweepBeganAt == nil)
      }
      let world = try World()
      try await world.mirror.sweep()
      #expect(try await progress(world).completeSweepBeganAt == world.clock.now)
    }

    /// An answer that only a person can change is a halt, whichever loop meets it; and it may begin as something else.
    @Test(arguments: [(401, "key_refused"), (403, "not_approved"), (302, "redirect"), (-2, "tls")], [nil, 500])
    func aRefusalFromTheStartIsAHalt(fault: (status: Int, reason: String), before: Int?) async throws {
      let world = try World()
      world.api.state.withLock {
        $0.readFaults = [before].compactMap(\.self) + Array(repeating: fault.status, count: 8)
      }
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { world.lines.of(.apiHalted).count == 1 }
        #expect(world.lines.of(.apiHalted).first?.reason == fault.reason)
        #expect(world.lines.of(.apiHalted).first?.level == .error)
        #expect(world.context.health.snapshot()[.referrals]?.isWorking == false)
        try await world.reaches(within: .seconds(3600)) { world.lines.of(.apiRecovered).count == 1 }
      }
      #expect(world.lines.of(.apiHalted).count == 1, "an outage is one line when it begins")
      #expect(world.lines.of(.mirrorFailed).count == (before == nil ? 0 : 1))
      #expect(world.lines.of(.mirrorRecovered).count == (before == nil ? 0 : 1))
    }

    @Test func aSweepBeginsWhenItBegan() async throws {
      let world = try World()
      world.api.state.withLock { $0.listLatency = .seconds(10) }
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(300)) { try await progress(world).completeSweepBeganAt != nil }
        #expect(try await progress(world).completeSweepBeganAt == start + .seconds(5))
        let ended = try #require(try await progress(world).completeSweepEndedAt)
        #expect(ended >= start + .seconds(55), "five pages")
      }
    }

    @Test func aLedgerThatFailsInTheMiddleIsNoSweep() async throws {
      for failing in 0..<5 {
        let world = try World()
        // An empty page leaves the ledger alone.
        for (number, status) in [ReferralStatus.clicked, .pending, .expired].enumerated() {
          world.api.put(makeReferral("r\(number)", status, email: nil))
        }
        world.ledger.state.withLock { $0.faults = Array(repeating: nil, count: failing) + [.before] }
        _ = try? await world.mirror.sweep()
        let complete = try await progress(world).completeSweepBeganAt
        #expect(complete == nil, "transaction \(failing)")
      }
    }

    @Test func aLieInOneListLeavesTheOthersRead() async throws {
      // The walk over clicked ones meets the lie; what the other lists show is taken all the same.
      let world = try World()
      world.api.put(makeReferral("clicked", .clicked, email: nil))
      world.api.put(makeReferral("pending", .pending, email: "friend1@example.com"))
      let api = world.api
      api.state.withLock { state in
        state.onList = { query in api.state.withLock { $0.table.lie = query.status == .clicked ? .ignoresStatus : nil }
        }
      }
      try await world.mirror.sweep()
      #expect(try await progress(world).distrust != nil)
      let mirrored = try await world.ledger.base.transaction { try $0.referral(ReferralID("pending")) }
      #expect(mirrored != nil)
      #expect(try await progress(world).completeSweepBeganAt == nil)
    }

    @Test func anAnswerCancelledElsewhereIsAFailureAndNoEnd() async throws {
      let world = try World()
      let api = world.api
      world.api.state.withLock { $0.readFaults = [-1] }
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(60)) { try await progress(world).completeSweepBeganAt != nil }
      }
      #expect(api.state.withLock { $0.queries.count } >= 5)
    }

    @Test func aSlowAPIIsLeftAloneHalfOfTheTime() async throws {
      let world = try World()
      world.api.state.withLock { $0.listLatency = .seconds(10) }
      try await world.running([world.mirror]) { try await world.pass(.seconds(4000)) }
      #expect(world.api.state.withLock { $0.queries.count } <= 220, "10 s each")
    }
  }
}
