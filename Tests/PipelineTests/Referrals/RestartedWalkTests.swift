import Conversions
import Foundation
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Walks that take longer than the daemon runs.
  @Suite(.timeLimit(.minutes(5))) struct RestartedWalkTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    /// Runs the mirror for a while, again and again, until a sweep is complete; the run that ended it.
    private func restart(
      _ first: World, each run: Duration, pausing pause: Duration = .seconds(5), runsMax: Int
    ) async throws -> (world: World, runs: Int) {
      var world = first
      for number in 1...runsMax {
        try await world.running([world.mirror]) {
          try await world.pass(run) { try await progress(world).completeSweepBeganAt != nil }
        }
        if try await progress(world).completeSweepBeganAt != nil { return (world, number) }
        world = try world.restarted()
        world.clock.advance(to: world.clock.uptime + pause)
        try await CatchUp.begin(world.ledger)
      }
      return (world, runsMax + 1)
    }

    /// Of one instant (a bulk import), or of many.
    @Test(arguments: [true, false])
    func goOnAfterARestartAndBeganWhenTheyBegan(isOneInstant: Bool) async throws {
      let world = try World()
      for number in 0..<2500 {
        let created = start - day - (isOneInstant ? .zero : .seconds(number))
        world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com", created: created))
      }
      world.api.state.withLock { $0.listLatency = .seconds(isOneInstant ? 6 : 12) }
      // 25 pages, twice for the instant: five minutes in all.
      let (last, runs) = try await restart(world, each: .seconds(150), runsMax: 12)
      #expect((2...6).contains(runs))
      let known = try await progress(last)
      #expect(known.completeSweepBeganAt == start + .seconds(5) && known.distrust == nil && known.place == nil)
      let counts = try await last.ledger.base.transaction { try $0.referralCounts() }
      #expect(counts[.pending] == 2500)
      #expect(try await last.ledger.base.transaction { try $0.openReferrals(unseenSince: start, limit: 10) }.isEmpty)
    }

    /// The number of referrals of one instant, as the vendor's bulk import makes them: `IMPORTED`, 32,000 say.
    private static var imported: Int { Int(ProcessInfo.processInfo.environment["IMPORTED"] ?? "") ?? 6000 }

    @Test func aBulkImportIsReadThroughRestarts() async throws {
      let (world, count) = (try World(), Self.imported)
      for number in 0..<count {
        world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com", created: start - day))
      }
      world.api.state.withLock { $0.listLatency = .seconds(1) }
      let (last, runs) = try await restart(world, each: .seconds(150), runsMax: 20)
      let queries = last.api.state.withLock { $0.queries.count }
      // From both ends of the instant; a restart loses a minute of its pages at most.
      print("imported: \(count) referrals of one instant in \(runs) runs, \(queries) pages")
      #expect(runs > 1 && queries <= count / 100 * 2 + runs * 65)
      let counts = try await last.ledger.base.transaction { try $0.referralCounts() }
      #expect(counts[.pending] == count)
    }

    @Test func oneThatIsTooOldBeginsAnew() async throws {
      let world = try World()
      for number in 0..<2500 { world.api.put(makeReferral("r\(number)", email: "friend\(number)@example.com")) }
      world.api.state.withLock { $0.listLatency = .seconds(6) }
      let (last, _) = try await restart(world, each: .seconds(150), pausing: .seconds(7 * 3600), runsMax: 1)
      let place = try #require(try await progress(last).place)
      #expect(place.walk.beganAt == start + .seconds(5) && place.instant?.at == start - day)
      last.api.state.withLock { $0.queries = [] }
      try await last.running([last.mirror]) {
        try await last.pass(.seconds(60))
        #expect(last.api.state.withLock { $0.queries.first?.sortBy } == .convertedAt, "from its beginning")
      }
    }
  }
}
