import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Tests what time does to finished orders, and a full ledger to intake.
  @Suite(.timeLimit(.minutes(5))) struct RetentionTests {
    /// Confirms the host's clock by an answer of the API.
    private func confirmClock(_ world: World) {
      world.context.clock.heard(AnswerHead(status: 200, date: world.clock.trueTime))
    }

    @Test func nothingIsRemovedByAClockThatNobodyConfirms() async throws {
      let before = try World()
      try await before.queue(1)
      try await before.running([before.delivery]) {
        try await before.reaches(within: .seconds(60)) { try await before.outcome(1) == .reported }
      }
      before.clock.jump(by: day * 400)
      let world = try before.restarted(isClockConfirmed: false)
      try await world.running([Retention(world.context, retain: day * 30)]) {
        try await world.pass(.seconds(7200))
        confirmClock(world)
        try await world.pass(.seconds(7200))
        #expect(try await world.orders().count == 1)
        world.clock.jump(by: .zero - day * 400)
        confirmClock(world)
        try await world.pass(day * 31)
        #expect(try await world.orders().isEmpty)
      }
    }

    @Test func finishedOrdersLeaveHourlyAndAreNeverReportedAgain() async throws {
      let world = try World()
      for key in 1...3 { try await world.queue(key) }
      let retention = Retention(world.context, retain: day * 30)
      try await world.running([retention, world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(600)) { try await world.outcomes() == [.reported: 3] }
        try await world.pass(day * 30 - .seconds(700))
        #expect(try await world.orders().count == 3)
        // The second look after that, at the latest.
        try await world.reaches(within: .seconds(8000)) { try await world.orders().isEmpty }
      }
      let counts = try await world.ledger.base.transaction { try $0.outcomeCounts() }
      #expect(counts.map(\.outcome) == [.reported] && counts.first?.count == 3)
      // An older referral of the same friends, still open, would be the one to choose; and every row is read again.
      for key in 1...3 {
        world.api.put(makeReferral("older\(key)", email: "friend\(key)@example.com", created: start - day * 2))
      }
      let again = try world.restarted()
      try await again.haveMirror()
      try await again.mirrorAPI()
      try await again.running([again.intake, again.matching, again.delivery]) {
        again.shop.change(OrderKey("2")) { $0.status = "shipped" }
        try await again.reaches(within: .seconds(600)) { try await again.outcomes() == [.reported: 1] }
        try await again.pass(day * 2)
        #expect(try await again.outcomes() == [.reported: 1], "it came back as it was, as its row changed")
      }
      #expect(world.sent.count == 3 && again.violations.isEmpty)
    }

    @Test func aLargePastIsRemovedInBatchesThatLetOthersIn() async throws {
      let world = try World()
      try await world.take((1...2_300).map { .readable(makeOrder($0)) })
      let now = world.clock.now
      try await world.ledger.base.transaction { tx in
        for number in 1...2_300 {
          try tx.decide(EntryID(Int64(number)), Decision(.cancelled, reason: DecisionReason.gone), at: now)
        }
      }
      confirmClock(world)
      try await world.running([Retention(world.context, retain: .seconds(1))]) {
        try await world.pass(.seconds(3500))
        #expect(try await world.orders().count == 2_300, "nothing is older than a second at the start")
        let before = world.ledger.state.withLock { $0.count }
        let began = world.clock.uptime
        try await world.reaches(within: .seconds(200)) { try await world.orders().isEmpty }
        let batches = world.ledger.state.withLock { $0.count } - before
        #expect(batches >= 5 && batches < 30)
        #expect(world.clock.uptime - began >= PipelineContext.upkeepRestMin * 4)
      }
      let counts = try await world.ledger.base.transaction { try $0.outcomeCounts() }
      #expect(counts.map(\.count) == [2_300])
    }

    @Test func aFailureIsWaitedOutAndToldOnce() async throws {
      let world = try World()
      world.ledger.state.withLock { $0.isFull = true }
      confirmClock(world)
      try await world.running([Retention(world.context, retain: .seconds(1))]) {
        try await world.pass(.seconds(600))
        #expect(world.lines.of(.ledgerFailed).count == 1)
        world.ledger.state.withLock { $0.isFull = false }
        try await world.pass(.seconds(61))
        #expect(world.lines.of(.ledgerRecovered).count == 1)
      }
    }

    @Test func aFullLedgerTakesInNothingUntilThereIsRoomAgain() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.put(makeOrder(1))
      let settings = Intake.Settings(
        start: .everything, pollInterval: .seconds(5), sweepInterval: .seconds(60), ledgerSizeMax: 1_000_000)
      let intake = Intake(world.context, rules: world.rules, settings: settings)
      world.ledger.state.withLock { $0.size = 799_999 }
      try await world.running([intake]) {
        try await world.reaches(within: .seconds(60)) { try await world.orders().count == 1 }
        for (key, size) in [(2, 800_000), (3, 799_000), (4, 750_000)] {
          world.ledger.state.withLock { $0.size = Int64(size) }
          world.shop.put(makeOrder(key))
          // Something else that changed the ledger, as something always does.
          try await world.haveMirror()
          try await world.pass(.seconds(300))
          #expect(try await world.orders().count == 1, "at \(size)")
        }
        #expect(world.lines.of(.ledgerFull).count == 1 && world.lines.of(.ledgerRoom).isEmpty)
        #expect(world.context.health.snapshot()[.room]?.isWorking == false)
        let asked = world.shop.state.withLock { $0.asked.count }
        world.ledger.state.withLock { $0.size = 749_999 }
        try await world.reaches(within: .seconds(60)) { try await world.orders().count == 4 }
        #expect(world.shop.state.withLock { $0.asked.count } > asked)
        #expect(world.context.health.snapshot()[.room]?.isWorking == true)
      }
      #expect(world.lines.of(.ledgerFull).count == 1 && world.lines.of(.ledgerRoom).count == 1)
    }
  }
}
