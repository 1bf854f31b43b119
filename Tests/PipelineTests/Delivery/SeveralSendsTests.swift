import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Many orders under way at once, and what that must not lead to.
  @Suite(.timeLimit(.minutes(5))) struct SeveralSendsTests {
    /// Orders that wait for nothing but their sends, which take a second each and are checked.
    private func queued(_ keys: Int, _ faults: ConvertFault?...) async throws -> World {
      let world = try World()
      for key in 1...keys {
        world.shop.put(makeOrder(key))
        world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com"))
      }
      try await world.takeShop()
      try await world.mirrorAPI()
      try await world.endCatchUp()
      try await world.decideAll()
      world.checkSends()
      world.api.state.withLock { ($0.convertFaults, $0.convertLatency) = (faults, .seconds(1)) }
      return world
    }

    @Test func asManyAtOnceAsAreAllowedAndEachOnce() async throws {
      let world = try await queued(200)
      let before = world.clock.uptime
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(120)) { try await world.outcomes() == [.reported: 200] }
      }
      // One after the other would take 200 s; sixteen at once, reached one by one, about 22.
      #expect(world.clock.uptime - before < .seconds(30))
      #expect(world.sent.count == 200 && Set(world.sent).count == 200 && world.violations.isEmpty)
      #expect(world.api.state.withLock { $0.permits.isEmpty })
      #expect(world.shop.state.withLock { $0.rereads } == 200, "each is read again once, right before its send")
    }

    @Test func afterAFailureOneOrderProbesForAll() async throws {
      let world = try await queued(60)
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count >= 20 }
        world.api.state.withLock { $0.down = .internalError }
        try await world.pass(.seconds(60))
        let (before, asked) = (world.sent.count, world.api.state.withLock { $0.queries.count })
        try await world.pass(.seconds(7200))
        let probes = Set(world.sent.dropFirst(before).map(\.transactionID.text))
        #expect(probes.count <= 1, "one order meets the fault again and again: \(probes)")
        #expect(world.sent.count - before + world.api.state.withLock { $0.queries.count } - asked < 120)
        world.api.state.withLock { $0.down = nil }
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 60] }
      }
      #expect(world.done.count == 60 && world.violations.isEmpty)
    }

    @Test func aHaltStopsWhatHasNotLeft() async throws {
      let world = try await queued(60, nil, nil, nil, nil, nil, nil, .keyRefused)
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { world.lines.of(.apiHalted).count == 1 }
        world.api.state.withLock { $0.readFaults = [401, 401] }
        let sent = world.sent.count
        try await world.pass(.seconds(250))
        #expect(world.sent.count == sent && sent < 20)
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 60] }
      }
      #expect(world.done.count == 60 && world.violations.isEmpty)
      #expect(world.lines.of(.apiHalted).count == 1 && world.lines.of(.apiRecovered).count == 1)
    }

    @Test(arguments: [ConvertFault.keyRefused, .invalid])
    func thoseThatAreRefusedTogetherHaltSendingOnce(fault: ConvertFault) async throws {
      let world = try await queued(60)
      world.api.state.withLock { $0.convertLatency = .seconds(2) }
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(120)) { try await world.counts()[.sending] == 16 }
        world.api.state.withLock { $0.convertFaults = Array(repeating: fault, count: 16) }
        try await world.reaches(within: .seconds(60)) { !world.lines.of(.apiHalted).isEmpty }
        try await world.pass(.seconds(60))
        let halts = world.lines.of(.apiHalted)
        #expect(halts.count == 1, "\(halts.map(\.message))")
        #expect(halts.first?.reason == (fault == .invalid ? "rejecting" : "key_refused"))
      }
    }

    @Test(arguments: [1, 4, 9]) func resultsThatCouldNotBeStoredAreSentAgainAsTheyWere(lost: Int) async throws {
      let world = try await queued(30)
      let ledger = world.ledger
      let calls = Mutex(0)
      let check = world.api.state.withLock { $0.onConvert }
      world.api.state.withLock {
        $0.onConvert = { report in
          await check?(report)
          let call = calls.withLock { calls in
            calls += 1
            return calls
          }
          // In the middle of several sends the disk fills, and some of their results meet it.
          if call == 12 { ledger.state.withLock { $0.faults = Array(repeating: .before, count: lost) } }
        }
      }
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(900)) { try await world.outcomes() == [.reported: 30] }
        try await world.quiet()
      }
      #expect(world.done.count == 30 && Set(world.sent).count == 30 && world.violations.isEmpty)
      #expect(world.api.state.withLock { $0.permits.isEmpty })
      world.api.state.withLock { $0.onConvert = nil }
    }

    @Test func theDaemonsEndWaitsForAllThatIsUnderWay() async throws {
      let world = try await queued(60)
      let loop = world.start { try await world.delivery.run() }
      try await world.pass(.seconds(5))
      try await world.end(loop)
      let outcomes = try await world.outcomes()
      #expect(outcomes[.sending] == nil && outcomes[.reported] == world.done.count && world.done.count > 5)
      #expect(world.api.state.withLock { $0.permits.isEmpty })
    }
  }
}
