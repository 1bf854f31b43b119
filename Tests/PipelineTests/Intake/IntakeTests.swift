import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Orders come in page by page, and none is skipped whatever happens in between.
  @Suite(.timeLimit(.minutes(5))) struct IntakeTests {
    private let failure = OrderSourceFailure(kind: .unreachable, sqlState: "08006", message: "server closed")

    @Test func positionAndRowsAreStoredTogether() async throws {
      let world = try World()
      try await world.haveMirror()
      for key in 1...35 { world.shop.put(makeOrder(key)) }
      // The third page's transaction fails, once before anything is kept and once after everything is.
      for fault in [WatchedLedger.Fault.before, .after] {
        world.ledger.state.withLock { $0.faults = [nil, nil, nil, nil, nil, nil, fault] }
        try await world.running([world.intake]) {
          var isBehind = true
          let isDone = try await world.pass(.seconds(300)) {
            let (rows, mark) = (try await world.orders().count, try await mark(world))
            isBehind = isBehind && (mark == nil || rows == 35)
            return rows == 35 && mark == "36"
          }
          #expect(isDone)
          #expect(isBehind, "the mark never moves before all that it stands for is stored")
        }
      }
      #expect(try await world.orders().count == 35)
    }

    private func mark(_ world: World) async throws -> String? {
      try await world.ledger.base.transaction { try $0.ranges().first?.mark }
    }

    @Test func aSweepReadsOnlyWhatChanged() async throws {
      let world = try World()
      try await world.haveMirror()
      for key in 1...35 { world.shop.put(makeOrder(key)) }
      try await world.running([world.intake]) {
        try await world.reaches(within: .seconds(60)) { try await mark(world) == "36" }
        world.shop.change(OrderKey("7")) { $0.status = "paid again" }
        try await world.reaches(within: .seconds(60)) { try await world.order(7)?.order?.status == "paid again" }
      }
      #expect(world.shop.state.withLock { $0.wholes } == 4)
    }

    @Test func anotherTableIsReadAnew() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.put(makeOrder(1))
      try await world.running([world.intake]) {
        try await world.reaches(within: .seconds(60)) { try await mark(world) == "2" }
        // A restored copy: the same numbers stand for other transactions.
        world.shop.put(makeOrder(2))
        world.shop.state.withLock { state in
          state.versions[OrderKey("2")] = 1
          state.identity = "restored"
        }
        try await world.pass(.seconds(20))
        #expect(try await world.orders().count == 1, "nothing is read before the referrals are known anew")
        try await world.haveMirror()
        try await world.reaches(within: .seconds(60)) { try await world.orders().count == 2 }
      }
      #expect(world.lines.of(.tableChanged).count == 1)
    }

    @Test func aFailingPageIsReadAgain() async throws {
      let world = try World()
      try await world.haveMirror()
      for key in 1...25 { world.shop.put(makeOrder(key)) }
      world.shop.state.withLock { $0.failures = [failure] }
      try await world.running([world.intake]) {
        try await world.reaches(within: .seconds(120)) { try await world.orders().count == 25 }
      }
      let asked = world.shop.state.withLock { $0.asked }
      #expect(asked.prefix(4) == [nil, nil, "10", "20"])
    }

    @Test func theBackOffGrowsAndIsCapped() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.state.withLock { $0.outage = failure }
      var gaps: [Duration] = []
      try await world.running([world.intake]) {
        var (count, at) = (0, world.clock.uptime)
        try await world.pass(.seconds(3600)) {
          let asked = world.shop.state.withLock { $0.asked.count }
          if asked > count {
            if count > 0 { gaps.append(world.clock.uptime - at) }
            (count, at) = (asked, world.clock.uptime)
          }
          return false
        }
      }
      #expect(gaps.count > 60 && gaps.count < 400)
      #expect(gaps.allSatisfy { $0 >= .seconds(5) && $0 <= .seconds(60) })
      #expect(gaps.dropFirst(6).contains { $0 > .seconds(30) })
      #expect(gaps.prefix(3).allSatisfy { $0 <= .seconds(8) })
    }

    @Test func anOutageIsAFewLines() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.put(makeOrder(1))
      world.shop.state.withLock { $0.outage = failure }
      try await world.running([world.intake]) {
        try await world.pass(.seconds(3600))
        let lines = world.lines.of(.pollFailed)
        // One when it begins, and a summary a quarter of an hour each, give or take the back-off.
        #expect(lines.count >= 4 && lines.count <= 5)
        #expect(lines.first?.message.contains("server closed") == true && lines.first?.level == .warning)
        #expect(lines.dropFirst().allSatisfy { $0.message.contains("minutes") })
        #expect(world.lines.of(.pollRecovered).isEmpty)
        #expect(world.context.health.snapshot()[.database]?.isWorking == false)
        world.shop.state.withLock { $0.outage = nil }
        try await world.pass(.seconds(300))
        #expect(world.context.health.snapshot()[.database]?.isWorking == true)
      }
      #expect(world.lines.of(.pollRecovered).count == 1)
      #expect(world.lines.of(.pollFailed).count <= 5)
    }

    @Test func whatAPersonMustMendIsAnError() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.state.withLock {
        $0.outage = OrderSourceFailure(kind: .mapping, sqlState: "42703", message: "no column")
      }
      try await world.running([world.intake]) { try await world.pass(.seconds(10)) }
      #expect(world.lines.of(.pollFailed).map(\.level) == [.error])
    }

    @Test func aRestartResumes() async throws {
      var world = try World()
      try await world.haveMirror()
      for key in 1...50 { world.shop.put(makeOrder(key)) }
      world.shop.state.withLock { $0.failures = [] }
      // The ledger's disk is full from the fourth page on.
      let first = world
      first.ledger.state.withLock {
        $0.faults = Array(repeating: nil, count: 7) + Array(repeating: .before, count: 500)
      }
      try await first.running([first.intake]) { try await first.pass(.seconds(60)) }
      let stored = try await first.orders().count
      #expect(stored > 0 && stored < 50 && stored.isMultiple(of: 10))
      world = try first.restarted()
      world.shop.state.withLock { $0.asked = [] }
      let second = world
      try await second.running([second.intake]) {
        try await second.reaches(within: .seconds(60)) { try await second.orders().count == 50 }
      }
      // The range was not read to its end: it is read again from its beginning.
      #expect(second.shop.state.withLock { $0.asked.first } == .some(nil))
    }

    @Test func theStartIsFixedOnce() async throws {
      let world = try World()
      try await world.haveMirror()
      world.shop.put(makeOrder(1, placed: start - .seconds(60)))
      world.shop.put(makeOrder(2, placed: start + .seconds(60)))
      let now = world.intake(start: .firstStart, pollInterval: .seconds(5))
      try await world.running([now]) { try await world.pass(.seconds(10)) }
      #expect(try await world.orders().map(\.orderID) == ["order_2"])
      // Another setting after a restart takes nothing in that was left out before.
      let again = try world.restarted()
      again.shop.put(makeOrder(3, placed: start - .seconds(1)))
      again.shop.put(makeOrder(4, placed: start))
      let everything = again.intake(start: .everything, pollInterval: .seconds(5))
      try await again.running([everything]) { try await again.pass(.seconds(30)) }
      #expect(Set(try await again.orders().map(\.orderID)) == ["order_2", "order_4"])
    }

    @Test func aDateLeavesOutOlderOrders() async throws {
      let world = try World()
      try await world.haveMirror()
      for key in 1...4 { world.shop.put(makeOrder(key, placed: start - day * key)) }
      let unreadable = UnreadableOrder(key: OrderKey("9"), reason: .unreadable, detail: "placed_at: infinity")
      world.shop.put(.unreadable(unreadable))
      let intake = world.intake(start: .from(start - day * 2), pollInterval: .seconds(5))
      try await world.running([intake]) { try await world.pass(.seconds(10)) }
      #expect(Set(try await world.orders().map(\.orderID)) == ["order_1", "order_2", "9"])
    }

    @Test func aRingReadsAtOnce() async throws {
      let world = try World()
      try await world.haveMirror()
      let intake = world.intake(start: .everything, pollInterval: .seconds(3600))
      try await world.running([intake]) {
        try await world.pass(.seconds(1))
        world.shop.put(makeOrder(1))
        let before = world.clock.uptime
        world.context.intakeWake.notify()
        try await world.quiet()
        #expect(try await world.orders().count == 1 && world.clock.uptime == before)
      }
    }

    @Test func aCancellationOfTheShopsOwnIsAFailureAndNoEnd() async throws {
      // A source whose connection was cancelled elsewhere must not end the loop, and with it the daemon.
      let world = try World()
      try await world.haveMirror()
      world.shop.put(makeOrder(1))
      world.shop.state.withLock { $0.failures = [CancellationError()] }
      try await world.running([world.intake]) {
        try await world.reaches(within: .seconds(60)) { try await world.orders().count == 1 }
      }
    }
  }
}
