import Conversions
import Logging
import LoopFixtures
import ServiceLifecycle
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Outages are named by their cause, whatever loop meets them.
  @Suite(.timeLimit(.minutes(5))) struct LedgerOutageTests {
    private static let outages: [JournalEvent] = [
      .pollFailed, .pollRecovered, .mirrorFailed, .mirrorRecovered, .ledgerFailed, .ledgerRecovered, .deferred,
      .apiHalted, .apiRecovered,
    ]

    private func services(_ world: World) -> [any Service] {
      [
        world.intake, world.mirror, world.matching, world.delivery, Retention(world.context, retain: day),
        ReportedRows(world.context, rules: world.rules),
      ]
    }

    private func told(_ world: World) -> [CapturedLog.Line] {
      world.lines.all.filter { line in
        line.level >= .notice && Self.outages.contains { $0.rawValue == line.event }
      }
    }

    @Test func aFullDiskIsTheLedgersOutageInEveryLoopAndOneLine() async throws {
      let world = try World()
      try await world.running(services(world)) {
        world.shop.put(makeOrder(1))
        world.api.put(makeReferral("r1", email: "friend1@example.com"))
        try await world.reaches(within: .seconds(3 * 3600)) { try await world.outcome(1) == .reported }
        world.ledger.state.withLock { $0.isFull = true }
        let before = told(world).count
        world.shop.put(makeOrder(2))
        try await world.pass(.seconds(1800))
        let during = told(world).dropFirst(before)
        #expect(during.allSatisfy { $0.event == "ledger_failed" && $0.fields["reason"] == "disk_full" })
        #expect((1...3).contains(during.count), "one when it begins, and one a quarter of an hour: \(during.count)")
        #expect(world.context.health.snapshot()[.ledger]?.isWorking == false)
        #expect(world.context.health.snapshot()[.database]?.isWorking != false)
        world.ledger.state.withLock { $0.isFull = false }
        try await world.pass(.seconds(1800))
        #expect(told(world).dropFirst(before + during.count).map(\.event) == ["ledger_recovered"])
        #expect(world.context.health.snapshot()[.ledger]?.isWorking == true)
      }
    }

    @Test(arguments: WatchedLoop.allCases.filter { $0 != .listening })
    func eachLoopAloneNamesIt(loop: WatchedLoop) async throws {
      let world = try World()
      world.ledger.state.withLock { $0.isFull = true }
      let service: any Service =
        switch loop {
        case .readingOrders, .listening: world.intake
        case .readingReferrals: world.mirror
        case .decidingOrders: world.matching
        case .delivery: world.delivery
        case .removingEntries: Retention(world.context, retain: day)
        case .lookingAtReported: ReportedRows(world.context, rules: world.rules)
        }
      try await world.running([service]) {
        try await world.pass(.seconds(600))
        let lines = told(world)
        #expect(lines.map(\.event) == ["ledger_failed"] && lines[0].message.hasPrefix("\(loop.rawValue) failed: "))
      }
    }

    @Test func aDatabaseThatIsAwayIsNeverTheLedger() async throws {
      let world = try World()
      try await world.running(services(world)) {
        world.shop.put(makeOrder(1))
        world.api.put(makeReferral("r1", email: "friend1@example.com"))
        try await world.reaches(within: .seconds(3 * 3600)) { try await world.outcome(1) == .reported }
        world.shop.state.withLock { $0.outage = OrderSourceFailure(kind: .unreachable, message: "down") }
        try await world.pass(.seconds(1800))
        #expect(!world.lines.of(.pollFailed).isEmpty)
        #expect(world.lines.of(.pollFailed).allSatisfy { $0.reason == "unreachable" })
        #expect(world.lines.of(.ledgerFailed, .ledgerRecovered).isEmpty)
      }
    }
  }
}
