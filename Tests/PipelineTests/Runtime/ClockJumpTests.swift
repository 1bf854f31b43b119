import Conversions
import Ledger
import LoopFixtures
import ServiceLifecycle
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// The wall clock is set, or the host sleeps.
  @Suite(.timeLimit(.minutes(5))) struct ClockJumpTests {
    private func loops(_ world: World) -> [any Service] {
      [world.intake, world.mirror, world.matching, world.delivery]
    }

    @Test(arguments: [day, .zero - day])
    func aJumpIsNoReasonToHurryAndNothingFirstLeavesUntilItIsConfirmed(_ jump: Duration) async throws {
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
        world.api.put(makeReferral("r2", email: "friend2@example.com", created: world.clock.trueTime - .seconds(60)))
        world.shop.put(makeOrder(2, placed: world.clock.trueTime - .seconds(30)))
        try await world.pass(.seconds(900))
        // Placed in the future, by a clock that was set back.
        #expect(try await world.outcome(2) == (jump > .zero ? .queued : .held) && world.sent.count == 1)
        world.clock.jump(by: .zero - jump)
        try await world.reaches(within: .seconds(1200)) { try await world.outcome(2) == .reported }
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
        try await world.reaches(within: .seconds(1800)) { try await world.outcome(1) == .reported }
      }
    }

    @Test func aHoldIsNotEndedByAClockThatWasSetForward() async throws {
      let world = try World(rules: makeRules(hold: .seconds(7200)))
      try await world.endCatchUp()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      world.shop.put(makeOrder(1, placed: start))
      try await world.take([.readable(makeOrder(1, placed: start))])
      try await world.mirrorAPI()
      try await world.running([world.matching, world.delivery]) {
        try await world.pass(.seconds(60))
        #expect(try await world.outcome(1) == .held)
        world.clock.jump(by: day)
        world.context.matchingWake.notify()
        try await world.pass(.seconds(600))
        world.clock.jump(by: day)
        try await world.pass(.seconds(600))
        #expect(try await world.outcome(1) == .held)
        world.clock.jump(by: .zero - day * 2)
        try await world.pass(.seconds(5700))
        #expect(try await world.outcome(1) == .held)
        try await world.reaches(within: .seconds(300)) { try await world.outcome(1) == .reported }
      }
    }

    /// A world with one order that is held for two hours, and that a daemon looks after.
    private func holding() async throws -> World {
      let world = try World(rules: makeRules(hold: .seconds(7200)))
      world.shop.put(makeOrder(1, placed: start))
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      return world
    }

    private func postpone(_ world: World, by wait: Duration) async throws {
      let order = try #require(try await world.order(1))
      let until = world.clock.now + wait
      try await world.ledger.base.transaction {
        try $0.postpone(order.entry, until: until, reason: "retry", detail: "ordered")
      }
    }

    private func doubts(_ world: World) -> [String] { world.lines.of(.clockUnconfirmed).map(\.message) }
    private func confirmations(_ world: World) -> [String] { world.lines.of(.clockConfirmed).map(\.message) }

    @Test func aHoldEndsNeitherByAJumpNorTooLate() async throws {
      let world = try await holding()
      world.shop.state.withLock { $0.isOnHost = true }
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .held }
        world.clock.jump(by: day)
        try await world.pass(.seconds(6000))
        let order = try await world.order(1)
        #expect(order?.outcome == .held && order?.detail?.contains("unconfirmed") == true)
        #expect(doubts(world).count == 1 && doubts(world)[0].contains("86400 s ahead"))
        #expect(world.context.clock.unconfirmedReason?.contains("the API's clock is 86400 s behind") == true)
        world.clock.jump(by: .zero - day)
        try await world.reaches(within: .seconds(1800)) { try await world.outcome(1) == .reported }
        #expect(doubts(world).count == 1 && confirmations(world).last?.contains("back where") == true)
      }
    }

    @Test(arguments: [day * 365, .zero - day * 365], [true, false])
    func nothingFirstLeavesAfterABootWithAWrongClock(_ error: Duration, isOnHost: Bool) async throws {
      let world = try await holding()
      world.clock.jump(by: error)
      world.clock.reboot()
      let again = try world.restarted(isClockConfirmed: false)
      again.shop.state.withLock { $0.isOnHost = isOnHost }
      try await again.running(loops(again)) {
        try await again.reaches(within: .seconds(600)) { try await again.outcome(1) == .held }
        try await again.pass(.seconds(9000))
        #expect(try await again.outcome(1) == .held && again.sent.isEmpty)
        #expect(doubts(again).count == 1 && doubts(again)[0].contains("the API's clock is 3153"))
        again.clock.jump(by: .zero - error)
        try await again.reaches(within: .seconds(1800)) { try await again.outcome(1) == .reported }
      }
    }

    @Test func aBootWithTheRightTimeIsNoNews() async throws {
      let world = try await holding()
      world.clock.reboot()
      let again = try world.restarted(isClockConfirmed: false)
      let before = confirmations(again).count
      try await again.running(loops(again)) {
        try await again.reaches(within: .seconds(7500)) { try await again.outcome(1) == .reported }
      }
      #expect(doubts(again).isEmpty && confirmations(again).count == before)
    }

    @Test func withoutAnyOtherClockABootIsBelievedAndAJumpWaitsForAPerson() async throws {
      let world = try World(isClockConfirmed: false)
      world.shop.state.withLock { $0.isOnHost = true }
      world.api.state.withLock { $0.clockAhead = nil }
      func buy(_ key: Int) {
        let now = world.clock.trueTime
        world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com", created: now - .seconds(60)))
        world.shop.put(makeOrder(key, placed: now - .seconds(30)))
      }
      buy(1)
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .reported }
        #expect(confirmations(world).count == 1 && confirmations(world)[0].contains("is believed"))
        world.clock.jump(by: .seconds(61))
        buy(2)
        try await world.pass(.seconds(7200))
        #expect(try await world.outcome(2) == .queued && world.sent.count == 1 && doubts(world).count == 1)
        #expect(world.context.clock.confirmByOperator("user 0"))
        try await world.reaches(within: .seconds(600)) { try await world.outcome(2) == .reported }
        #expect(confirmations(world).last?.contains("user 0") == true)
      }
    }

    @Test func clocksThatDriftAreFollowedWithoutAWord() async throws {
      let world = try World()
      try await world.running(loops(world)) {
        for key in 1...5 {
          world.clock.jump(by: .seconds(50))
          let now = world.clock.trueTime
          world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com", created: now - .seconds(60)))
          world.shop.put(makeOrder(key, placed: now - .seconds(30)))
          try await world.reaches(within: .seconds(900)) { try await world.outcome(key) == .reported }
        }
      }
      #expect(doubts(world).isEmpty && world.context.clock.jumps == 0)
    }

    /// A refusal is no send; what may have been done is sent again by whatever clock.
    @Test func ofFrozenReportsOnlyThoseThatMayHaveBeenDoneGoOn() async throws {
      let world = try World()
      for key in 1...2 { try await world.queue(key) }
      world.api.state.withLock { $0.convertFaults = [.internalError, .rateLimited] }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(600)) { world.sent.count == 2 }
        world.clock.jump(by: day)
        try await world.reaches(within: .seconds(1800)) { try await world.outcome(1) == .reported }
        try await world.pass(.seconds(1800))
        #expect(try await world.outcome(2) == .queued && world.sent.count == 3)
        world.context.clock.confirmByOperator()
        try await world.reaches(within: .seconds(900)) { try await world.outcome(2) == .reported }
      }
    }

    @Test func noReferralIsNotSaidByAnUnconfirmedClock() async throws {
      let world = try World()
      try await world.running(loops(world)) {
        world.shop.put(makeOrder(1, placed: world.clock.trueTime))
        try await world.reaches(within: .seconds(600)) { try await world.order(1)?.reason == "no_referral_yet" }
        world.clock.jump(by: day * 30)
        try await world.reaches(within: .seconds(600)) { try await world.order(1)?.reason == "clock_unconfirmed" }
        try await world.pass(.seconds(3600))
        #expect(try await world.outcome(1) == .waiting)
        world.context.clock.confirmByOperator()
        try await world.reaches(within: .seconds(900)) { try await world.counts() == [.noReferral: 1] }
      }
    }

    @Test func aRestartInAWrongClockEndsNoHold() async throws {
      let world = try await holding()
      try await world.running(loops(world)) {
        try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .held }
      }
      world.clock.jump(by: day)
      let again = try world.restarted(isClockConfirmed: false)
      try await again.context.clock.resume(from: again.ledger)
      try await CatchUp.begin(again.ledger)
      try await again.running(loops(again)) {
        try await again.pass(.seconds(9000))
        #expect(again.sent.isEmpty)
        again.clock.jump(by: .zero - day)
        try await again.reaches(within: .seconds(1800)) { try await again.outcome(1) == .reported }
      }
    }

    @Test func aCorrectionIsFollowedAndTakesItsDueTimesAlong() async throws {
      let world = try World()
      world.clock.jump(by: day)
      let again = try world.restarted()
      // The shop's clock is the host's, too, so that no clock tells better until the API answers.
      again.shop.state.withLock { $0.isOnHost = true }
      try await again.queue(1)
      try await postpone(again, by: .seconds(120))
      try await again.running(loops(again)) {
        try await again.pass(.seconds(60))
        again.clock.jump(by: .zero - day)
        try await again.reaches(within: .seconds(960)) { try await again.outcome(1) == .reported }
        try await again.pass(.seconds(120))
        #expect(doubts(again).count == 1 && doubts(again)[0].contains("86400 s behind"))
        #expect(confirmations(again).last?.contains("the API's clock agrees") == true)
        #expect(again.context.clock.now == again.clock.trueTime)
        let progress = try await again.ledger.base.transaction { try ($0.mirrorProgress(), $0.intakeProgress()) }
        let (api, shop) = (progress.0.clockAhead ?? day, progress.1.clockAhead ?? day)
        #expect(abs((api - shop).inSeconds) < 2, "the clocks' difference is measured anew")
      }
    }

    @Test func aDueTimeOfAnotherClockIsClampedAtAStart() async throws {
      let world = try World()
      try await world.queue(1)
      // By a clock that was a year ahead.
      try await postpone(world, by: day * 365)
      try await world.running([world.delivery]) {
        try await world.reaches(within: day + .seconds(1800)) { try await world.outcome(1) == .reported }
      }
    }

    /// It is superseded, and nothing that is still to come can change that.
    @Test func anOrderSeenByAClockThatWasAheadDoesNotWaitForThatTimeToCome() async throws {
      let world = try World()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.endCatchUp()
      world.api.convertElsewhere("r1")
      try await world.mirrorAPI()
      world.clock.advance(to: world.clock.uptime + .seconds(5))
      // By a clock that was a year ahead.
      let seen = world.clock.now + day * 365
      try await world.ledger.base.transaction {
        _ = try $0.record(.readable(makeOrder(1)), seenAt: seen, isBackfill: false)
      }
      world.api.state.withLock { $0.listLatency = .milliseconds(300) }
      try await world.running([world.mirror, world.matching, world.delivery]) {
        try await world.pass(.seconds(3600))
        let order = try #require(try await world.order(1))
        #expect(order.outcome == .superseded, "\(order.outcome) \(order.reason ?? "-"): \(order.detail ?? "-")")
      }
    }

    /// The same where the clock was set right while the daemon was down.
    @Test func whatAnEarlierRunWalkedByAClockThatWasAheadIsForgottenAtTheStart() async throws {
      let world = try World()
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      try await world.endCatchUp()
      let ahead = world.clock.now + .seconds(3600)
      try await world.ledger.base.transaction { transaction in
        var progress = try transaction.mirrorProgress()
        progress.walks[.full]?.beganAt = ahead
        try transaction.setMirrorProgress(progress)
      }
      world.api.state.withLock { $0.down = .refused }
      try await world.running([world.mirror]) { try await world.pass(.seconds(4000)) }
      let progress = try await world.ledger.base.transaction { try $0.mirrorProgress() }
      #expect(progress.walks.isEmpty && progress.openWalkBeganAt == nil)
    }

    /// A walk that an outage keeps under way from before the correction until its time has come is no walk of that
    /// time.
    @Test func aWalkThatWasBegunByAClockThatWasAheadIsBegunAnew() async throws {
      let world = try World()
      world.api.put(makeReferral("old", email: "friend1@example.com"))
      try await world.endCatchUp()
      world.shop.state.withLock { $0.isOnHost = true }
      let mirror = world.mirror
      var run = mirror.makeRun()
      let ahead = world.clock.now + .seconds(3600)
      run.walks = [
        WalkUnderWay(.full, isSafe: false, progress: MirrorProgress(), known: 0, now: ahead)
      ]
      run.jumps -= 1
      try await mirror.followClock(&run)
      #expect(run.walks.isEmpty && run.jumps == world.context.clock.jumps)
      let progress = try await ReferralReader(context: world.context).progress()
      #expect(progress.openWalkBeganAt == nil)
    }

    /// Walks by a clock that was an hour ahead, while the API told no time, say nothing of that hour once it has come.
    @Test func whatWasWalkedByAClockThatWasAheadIsNotBelievedLater() async throws {
      let wrong = try World()
      wrong.api.state.withLock { $0.clockAhead = nil }
      wrong.api.put(makeReferral("old", email: "friend1@example.com"))
      wrong.api.convertElsewhere("old")
      wrong.clock.jump(by: .seconds(3600))
      let world = try wrong.restarted()
      world.shop.state.withLock { $0.isOnHost = true }
      try await world.running(loops(world)) {
        try await world.pass(.seconds(120))
        // The clock is set right, an answer of the API's confirms it, and then the API is away for more than an hour.
        world.api.state.withLock { ($0.clockAhead, $0.listLatency) = (.zero, .seconds(2)) }
        world.clock.jump(by: .seconds(-3600))
        try await world.reaches(within: .seconds(600)) { world.context.clock.isConfirmed }
        world.api.state.withLock { ($0.down, $0.listLatency) = (.refused, .zero) }
        try await world.pass(.seconds(600))
        world.api.put(makeReferral("young", email: nil, created: world.clock.trueTime, external: "lead_1"))
        try await world.pass(.seconds(60))
        let placed = world.clock.trueTime - .seconds(30)
        world.shop.put(makeOrder(1, email: "friend1@example.com", external: "lead_1", placed: placed))
        try await world.pass(.seconds(60))
        #expect(try await world.order(1)?.reason == "mirror_behind")
        try await world.pass(.seconds(5400))
        #expect(try await world.outcome(1) == .waiting)
        world.api.state.withLock { $0.down = nil }
        try await world.reaches(within: .seconds(7200)) { try await world.outcome(1) == .reported }
      }
      #expect(world.done.map(\.referralID.text) == ["young"])
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

    @Test(arguments: [true, false], [day, .zero - day])
    func aRestartByAClockThatWasSetMeanwhileWaits(hasRun: Bool, jump: Duration) async throws {
      let world = try await holding()
      world.shop.state.withLock { $0.isOnHost = true }
      if hasRun {
        try await world.running(loops(world)) {
          try await world.reaches(within: .seconds(600)) { try await world.outcome(1) == .held }
          try await world.pass(.seconds(120))
        }
      }
      world.clock.jump(by: jump)
      let again = try world.restarted(isClockConfirmed: false)
      try await again.context.clock.resume(from: again.ledger)
      try await CatchUp.begin(again.ledger)
      try await again.running(loops(again)) {
        try await again.pass(.seconds(9000))
        #expect(try await again.outcome(1) == .held && again.sent.isEmpty)
        #expect(doubts(again).count == 1, "told plainly, and once")
        again.clock.jump(by: .zero - jump)
        try await again.reaches(within: .seconds(1800)) { try await again.outcome(1) == .reported }
        #expect(again.context.clock.isConfirmed)
      }
    }

    @Test(arguments: [day, .zero - day], [true, false])
    func aConversionOfOursBeforeAJumpIsOurs(_ error: Duration, isConfirmed: Bool) async throws {
      let before = try World()
      before.clock.jump(by: error)
      // The clock that was wrong had been accepted.
      let world = try before.restarted()
      world.api.state.withLock { ($0.replays, $0.convertFaults) = (false, [.answerLost]) }
      world.shop.put(makeOrder(1, placed: start - day * 2))
      world.api.put(makeReferral("r1", email: "friend1@example.com", created: start - day * 3))
      try await world.takeShop()
      try await world.mirrorAPI()
      try await world.endCatchUp()
      try await world.decideAll()
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 1 }
        try await world.quiet()
        world.clock.jump(by: .zero - error)
        if isConfirmed { world.context.clock.confirmByOperator() }
        try await world.reaches(within: .seconds(1800)) { try await world.outcome(1)?.isWaiting == false }
      }
      let order = try await world.order(1)
      #expect(order?.outcome == .reported && world.sent.count == 2, "\(order?.reason ?? "-"): \(order?.detail ?? "-")")
    }

    @Test func aClockThatIsSetForwardGivesNothingUp() async throws {
      let world = try World()
      try await world.queue(1)
      world.api.state.withLock { $0.convertFaults = Array(repeating: .internalError, count: 10_000) }
      try await world.running([world.delivery(giveUpAfter: day)]) {
        try await world.reaches(within: .seconds(3600)) { world.sent.count == 3 }
        world.clock.jump(by: day * 2)
        // The API confirms it.
        world.context.clock.heard(AnswerHead(status: 200, date: world.clock.trueTime + day * 2))
        try await world.pass(.seconds(8 * 3600))
        #expect(world.sent.count > 20)
        #expect(try await world.outcome(1) == .queued)
        try await world.reaches(within: day * 2) { try await world.outcome(1) == .review }
      }
      #expect(try await world.order(1)?.reason == "gave_up")
    }
  }
}
