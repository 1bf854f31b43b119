import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// A ledger that was built anew: what the one before it sent may still be under way.
  @Suite(.timeLimit(.minutes(5))) struct QuietAfterRebuildTests {
    private func world(quiet: Duration) async throws -> World {
      let world = try World()
      let quietUntil = world.clock.now + quiet
      try await world.ledger.base.transaction { transaction in
        var progress = IntakeProgress()
        progress.quietUntil = quietUntil
        try transaction.setIntakeProgress(progress)
      }
      for number in 1...3 {
        world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com"))
        world.shop.put(makeOrder(number))
      }
      return world
    }

    @Test func whatIsConvertedInTheQuietTimeIsNotSentAndTheRestIsSentAfterIt() async throws {
      let world = try await world(quiet: .seconds(900))
      let began = world.clock.uptime
      try await world.running([world.intake, world.mirror, world.matching, world.delivery]) {
        try await world.reaches(within: .seconds(300)) { try await world.outcome(3) == .queued }
        try await world.pass(began + .seconds(895) - world.clock.uptime)
        #expect(world.done.isEmpty && world.api.state.withLock { $0.sent.isEmpty })
        // The old ledger's last request, done only now, and shown by nothing but a sweep.
        world.api.convertElsewhere("r2", transactionID: "order_2")
        try await world.reaches(within: .seconds(600)) { try await world.outcomes(of: 1, 3) == [.reported, .reported] }
        #expect(world.clock.uptime >= began + .seconds(900))
        #expect(try await world.outcome(2) == .superseded)
      }
      #expect(Set(world.done.map(\.referralID.text)) == ["r1", "r3"])
      #expect(world.violations.isEmpty)
    }

    @Test func aRestartInTheQuietTimeWaitsAsLong() async throws {
      let first = try await world(quiet: .seconds(900))
      let began = first.clock.uptime
      try await first.running([first.intake, first.mirror, first.matching, first.delivery]) {
        try await first.pass(.seconds(400))
      }
      let world = try first.restarted()
      try await CatchUp.begin(world.ledger)
      try await world.running([world.intake, world.mirror, world.matching, world.delivery]) {
        try await world.reaches(within: .seconds(1500)) { try await world.outcome(1) == .reported }
        #expect(world.clock.uptime >= began + .seconds(900))
      }
    }

    @Test func aQuietTimeThatIsOverHoldsNothingUp() async throws {
      let world = try await world(quiet: .seconds(-60))
      let began = world.clock.uptime
      try await world.running([world.intake, world.mirror, world.matching, world.delivery]) {
        try await world.reaches(within: .seconds(300)) { try await world.outcome(1) == .reported }
        #expect(world.clock.uptime - began < .seconds(120))
      }
    }
  }
}
