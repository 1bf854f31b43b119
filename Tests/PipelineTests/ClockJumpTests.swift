import Conversions
import Ledger
import LoopFixtures
import ServiceLifecycle
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Somebody sets the wall clock, or the host sleeps.
  @Suite(.timeLimit(.minutes(2))) struct ClockJumpTests {
    private func loops(_ world: World) -> [any Service] {
      [world.intake, world.mirror, world.matching, world.delivery]
    }

    @Test(arguments: [day, .zero - day])
    func aJumpStopsNothingAndIsNoReasonToHurry(_ jump: Duration) async throws {
      let world = try World()
      try await world.queue(1)
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .reported }
        try await world.pass(.seconds(600))
        let usual = try await reads(world)
        world.clock.jump(by: jump)
        let after = try await reads(world)
        // A full sweep may be due after a day; nothing is asked for again and again.
        #expect(after <= usual * 2 + 20, "\(after) reads in ten minutes, \(usual) before the jump")
        world.api.put(makeReferral("r2", email: "friend2@example.com", created: world.clock.now - .seconds(60)))
        world.shop.put(makeOrder(2, placed: world.clock.now - .seconds(30)))
        try await world.reaches(within: .seconds(900)) { try await world.outcome(2) == .reported }
      }
      #expect(world.sent.count == 2)
    }

    /// The API's reads in ten minutes.
    private func reads(_ world: World) async throws -> Int {
      let before = world.api.state.withLock { $0.queries.count }
      try await world.pass(.seconds(600))
      return world.api.state.withLock { $0.queries.count } - before
    }

    @Test func aBackOffIsNotLengthenedByAClockThatWasSetBack() async throws {
      let world = try World()
      try await world.queue(1)
      world.api.state.withLock { $0.convertFaults = [.internalError] }
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(60)) { try await !world.attempts(1).isEmpty }
        world.clock.jump(by: .zero - day)
        let isReported = try await world.pass(.seconds(1800)) { try await world.outcome(1) == .reported }
        withKnownIssue("a due time of the wall clock is a day away then") { #expect(isReported) }
      }
    }

    @Test func aHoldIsNotEndedByAClockThatWasSetForward() async throws {
      let world = try World(rules: makeRules(hold: .seconds(7200)))
      try await world.settleCatchUp()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.take([.readable(makeOrder(1, placed: start))])
      try await world.mirrorAPI()
      try await world.running([world.matching]) {
        try await world.pass(.seconds(60))
        #expect(try await world.outcome(1) == .held)
        world.clock.jump(by: day)
        world.surroundings.matchingBell.ring()
        try await world.pass(.seconds(600))
        let outcome = try await world.outcome(1)
        withKnownIssue("the wall clock alone ends a hold") { #expect(outcome == .held) }
      }
    }

    @Test func tenMinutesOfSleepAreNoBurst() async throws {
      let world = try World()
      try await world.queue(1)
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .reported }
        try await world.pass(.seconds(600))
        let (reads, polls) = (world.api.state.withLock { $0.queries.count }, world.ledger.state.withLock { $0.count })
        world.clock.advance(to: world.clock.uptime + .seconds(600))
        try await world.pass(.seconds(2))
        #expect(world.api.state.withLock { $0.queries.count } - reads <= 20)
        #expect(world.ledger.state.withLock { $0.count } - polls < 200)
      }
      #expect(world.sent.count == 1)
    }
  }
}
