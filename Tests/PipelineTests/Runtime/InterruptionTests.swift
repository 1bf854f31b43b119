import Conversions
import Ledger
import Logging
import LoopFixtures
import ServiceLifecycle
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Halts, full disks and the end of the daemon in the middle of a send.
  @Suite(.timeLimit(.minutes(5))) struct InterruptionTests {
    @Test(arguments: [ConvertFault.keyRefused, .notApproved, .tls, .status(302, code: nil)])
    func aHaltIsProbedAndEndsByItself(fault: ConvertFault) async throws {
      let world = try await World.queued(3, fault)
      // The first is for the referral that is asked for at each start, the second for the order's.
      world.api.state.withLock { $0.readFaults = [nil, nil, 401, 401] }
      let before = world.clock.uptime
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 1 }
        try await world.pass(.seconds(240))
        #expect(world.sent.count == 1 && world.api.state.withLock { $0.queries.count } == 1, "not probed at once")
        #expect(try await world.order(1)?.outcome == .queued)
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 3] }
      }
      #expect(world.clock.uptime - before >= .seconds(900) && world.clock.uptime - before < .seconds(1300))
      #expect(world.lines.of(.apiHalted).count == 1 && world.lines.of(.apiRecovered).count == 1)
      #expect(try await world.attempts(1).map(\.verdict) == ["halt", "reported"])
      #expect(world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
    }

    @Test func anAPIThatRefusesOnlyWritesIsNotHammered() async throws {
      let world = try await World.queued(2)
      world.api.state.withLock { $0.convertFaults = Array(repeating: .notApproved, count: 10_000) }
      try await world.running([world.delivery]) { try await world.pass(.seconds(3600)) }
      #expect(world.sent.count >= 2 && world.sent.count <= 13, "one every five minutes")
    }

    @Test func aHaltOutlastsARestartAndIsProbedAtOnce() async throws {
      let world = try await World.queued(1, .keyRefused)
      try await world.running([world.delivery]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 1 }
        try await world.quiet()
      }
      let again = try world.restarted()
      again.checkSends()
      let before = again.clock.uptime
      again.api.state.withLock { $0.onList = nil }
      try await again.running([again.delivery]) {
        try await again.reaches(within: .seconds(60)) { try await again.outcome(1) == .reported }
      }
      #expect(again.clock.uptime - before < .seconds(60))
      let queries = again.api.state.withLock { $0.queries.map { $0.search ?? "account" } }
      #expect(queries == ["friend1@example.com", "account", "friend1@example.com"] && again.violations.isEmpty)
    }

    @Test func anOutageOfTheAPIIsWaitedOut() async throws {
      let world = try await World.queued(40)
      world.api.state.withLock { $0.convertFaults = Array(repeating: .refused, count: 100_000) }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(.seconds(7200))
        let tries = world.sent.count
        #expect(tries < 40, "not every order tries for itself")
        let lines = world.lines.all.filter { $0.level >= .notice }
        #expect(lines.count >= 5 && lines.count <= 10, "one when it begins, and a summary a quarter of an hour each")
        world.api.state.withLock { $0.convertFaults = [] }
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 40] }
      }
      #expect(world.violations.isEmpty)
      #expect(world.lines.of(.apiRecovered).count == 1)
    }

    @Test func oneOrderThatAlwaysFailsDoesNotHoldUpTheOthers() async throws {
      let world = try await World.queued(5)
      world.api.state.withLock {
        $0.convertFaults = [.internalError, nil, nil, nil, nil, .internalError, .internalError, .internalError]
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.outcomes() == [.queued: 1, .reported: 4] }
      }
    }

    @Test(arguments: [WatchedLedger.Fault.before, .after], [ConvertFault?.none, .answerLost, .requestLost])
    func aResultThatCouldNotBeStoredIsAnUnknownOutcome(fault: WatchedLedger.Fault, answer: ConvertFault?) async throws {
      let world = try await World.queued(1, answer)
      let ledger = world.ledger
      let check = world.api.state.withLock { $0.onConvert }
      let calls = Mutex(0)
      world.api.state.withLock {
        $0.onConvert = { report in
          await check?(report)
          let call = calls.withLock {
            $0 += 1; return $0
          }
          // The disk is full just when the answer comes, and for a while after.
          if call == 1 { ledger.state.withLock { $0.faults = [fault, .before, .before] } }
        }
      }
      try await world.running([world.delivery]) {
        // Without a restart.
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .reported }
        try await world.quiet()
      }
      #expect(world.done.count == 1 && Set(world.sent).count == 1)
      #expect(world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
      world.api.state.withLock { $0.onConvert = nil }
    }

    @Test(arguments: 1...12) func nothingIsSentWithoutADurableRecord(moment: Int) async throws {
      let world = try await World.queued(3)
      let first = world.ledger.state.withLock { $0.count }
      world.ledger.state.withLock { state in
        state.before = { number in
          if number == first + moment { world.ledger.state.withLock { $0.isFull = true } }
        }
      }
      try await world.running([world.delivery]) {
        try await world.pass(.seconds(300))
        // Expects no more sends while the disk is full: those before it were checked to be marked.
        let sent = world.sent.count
        try await world.pass(.seconds(1200))
        #expect(world.sent.count == sent)
        #expect(world.lines.of(.ledgerFailed).count >= 1 && world.lines.of(.ledgerFailed).count <= 3)
        world.ledger.state.withLock { ($0.isFull, $0.before) = (false, nil) }
        try await world.reaches(within: .seconds(300)) { try await world.outcomes() == [.reported: 3] }
      }
      #expect(world.done.count == 3 && world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
    }

    @Test func aSendUnderWayIsLetFinishWithinTheGrace() async throws {
      let world = try await World.queued(1, .slow(.seconds(5)))
      let loop = world.start { try await world.delivery.run() }
      try await world.quiet()
      #expect(world.sent.count == 1)
      try await world.end(loop)
      #expect(try await world.outcome(1) == .reported)
      #expect(world.clock.sleepers == 0, "and its patience ends with it")
    }

    @Test func aSendThatOutlastsTheGraceIsAnUnknownOutcome() async throws {
      let world = try await World.queued(1, .slow(.seconds(25)))
      let loop = world.start { try await world.delivery.run() }
      try await world.quiet()
      let before = world.clock.uptime
      try await world.end(loop)
      #expect(world.clock.uptime - before <= .seconds(11))
      let left = try await world.outcome(1)
      #expect(left == .sending || left == .queued)
      let again = try world.restarted()
      again.checkSends()
      try await again.running([again.delivery]) {
        try await again.reaches(within: .seconds(600)) { try await again.outcome(1) == .reported }
      }
      #expect(again.done.count == 1 && Set(again.sent).count == 1 && again.violations.isEmpty)
    }

    @Test func nothingIsBegunOnceTheDaemonIsToldToStop() async throws {
      let world = try await World.queued(2, .slow(.seconds(5)))
      let loop = world.start { try await world.delivery.run() }
      try await world.quiet()
      try await world.end(loop)
      #expect(world.sent.count == 1)
      #expect(world.api.state.withLock { $0.permits.isEmpty })
    }

    @Test func aFailureInOneLoopNeverStopsTheOthers() async throws {
      let world = try World()
      world.shop.state.withLock { $0.outage = OrderSourceFailure(kind: .unreachable, message: "down") }
      world.api.state.withLock { $0.readFaults = Array(repeating: 500, count: 20) }
      let group = ServiceGroup(
        services: [world.intake, world.mirror, world.matching, world.delivery], logger: world.context.log)
      let loops = world.start { try await group.run() }
      try await world.pass(.seconds(1800))
      world.ledger.state.withLock { $0.faults = Array(repeating: .before, count: 40) }
      try await world.pass(.seconds(1800))
      world.shop.state.withLock { $0.outage = nil }
      world.shop.put(makeOrder(1))
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      // The referral is some days old, and such are looked for every half an hour.
      try await world.reaches(within: .seconds(3 * 3600)) { try await world.outcome(1) == .reported }
      await group.triggerGracefulShutdown()
      try await loops.value
    }
  }
}
