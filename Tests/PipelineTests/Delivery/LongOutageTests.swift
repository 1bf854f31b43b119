import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// An API that is away for a week, with a long queue before it.
  @Suite(.timeLimit(.minutes(5))) struct LongOutageTests {
    private static let queued = 300

    /// A queue of live orders and of a backfill that came first, due at times of their own.
    private func queue(_ count: Int = Self.queued) async throws -> World {
      let world = try World()
      for key in 1...count { world.shop.put(makeOrder(key)) }
      for key in 1...count { world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com")) }
      try await world.mirrorAPI()
      try await world.endCatchUp()
      for (part, isBackfill) in [true, false, false].enumerated() {
        let keys = (1...count).filter { $0 % 3 == part }
        try await world.take(keys.map { .readable(makeOrder($0)) }, isBackfill: isBackfill)
        try await world.decideAll()
        world.clock.advance(to: world.clock.uptime + .seconds(7))
      }
      // As if the last look at the youngest referrals had begun after them.
      let now = world.clock.now
      try await world.ledger.base.transaction { transaction in
        var progress = try transaction.mirrorProgress()
        progress.walks[.quarterHour] = MirrorWalk(beganAt: now, reads: 1, busy: .zero)
        try transaction.setMirrorProgress(progress)
      }
      world.checkSends()
      return world
    }

    /// The IDs of what is queued, as they are to be sent.
    private func order(_ world: World) async throws -> [String] {
      try await world.orders().filter { $0.outcome == .queued }
        .sorted {
          ($0.isBackfill ? 1 : 0, $0.dueAt ?? start, $0.entry.number) < (
            $1.isBackfill ? 1 : 0, $1.dueAt ?? start, $1.entry.number
          )
        }
        .map(\.orderID)
    }

    /// Takes the API away once it has said whose account it is.
    private func goDown(_ world: World, _ fault: ConvertFault, _ latency: Duration) {
      let api = world.api
      api.state.withLock { state in
        state.onReserve = {
          api.state.withLock { ($0.down, $0.listLatency, $0.convertLatency) = (fault, latency, latency) }
        }
      }
    }

    /// One line when it begins, then one every quarter of an hour; an order that is tried is news once, at info.
    private func expectLines(_ lines: [CapturedLog.Line], of event: JournalEvent, over time: Duration) {
      let told = lines.filter { $0.level >= .notice }
      #expect(lines.count { $0.level == .info && $0.event == "deferred" } <= 2 * PacingRules.inFlightMax)
      #expect(
        told.allSatisfy { $0.event == event.rawValue }, "\(told.first { $0.event != event.rawValue }?.message ?? "")")
      let quarters = Int(time.components.seconds / 900)
      #expect(told.count >= quarters - 1 && told.count <= quarters + 1, "\(told.count) lines in \(quarters) quarters")
    }

    private func drain(_ world: World, _ expected: [String], tried: Set<String>) async throws {
      let before = world.lines.all.count
      world.api.state.withLock { state in
        (state.onReserve, state.down) = (nil, nil)
        (state.listLatency, state.convertLatency) = (.zero, .milliseconds(140))
      }
      try await world.reaches(within: .seconds(7200)) { try await world.counts() == [.reported: Self.queued] }
      let done = world.done.map(\.transactionID.text)
      #expect(done.count == Self.queued && Set(done).count == Self.queued)
      // Several are under way at once, and may overtake each other; what has a retry time of its own waits for it.
      let place = Dictionary(uniqueKeysWithValues: zip(expected.filter { !tried.contains($0) }, 0...))
      let displaced = zip(done.filter { !tried.contains($0) }, 0...).map { abs((place[$0] ?? .max) - $1) }
      #expect(displaced.count == place.count && displaced.allSatisfy { $0 < PacingRules.inFlightMax })
      let lines = world.lines.all.dropFirst(before).filter { $0.level >= .notice }
      // A probe that was under way may have brought a last summary.
      #expect(lines.last?.event == "api_recovered" && lines.count <= 2)
      #expect(lines.dropLast().allSatisfy { $0.event == "deferred" })
      #expect(world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
    }

    /// One order alone meets an API that takes no writes, again and again; the others wait.
    @Test func itIsWaitedOutByOneOrder() async throws {
      let (fault, days) = (ConvertFault.refused, 7)
      let world = try await queue()
      let expected = try await order(world)
      world.api.state.withLock { $0.convertFaults = Array(repeating: fault, count: 1_000_000) }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(day * days)
        let sent = world.sent.map(\.transactionID.text)
        #expect(sent.count > 80 * days && sent.count < 300 * days, "\(sent.count) sends")
        #expect(Set(sent).count <= Breaker.failuresMax && Set(sent.dropFirst(3)).count == 1)
        expectLines(world.lines.all, of: .deferred, over: day * days)
        #expect(try await world.orders().allSatisfy { $0.frozen == nil }, "what was refused counts as never sent")
        world.api.state.withLock { $0.convertFaults = [] }
        try await drain(world, expected, tried: Set(sent))
      }
    }

    @Test(arguments: [ConvertFault.refused, .internalError, .requestLost, .status(404, code: nil)])
    func nothingIsSentBeforeTheAPISaidWhoseItIs(fault: ConvertFault) async throws {
      let world = try await queue()
      let expected = try await order(world)
      world.api.state.withLock { $0.down = fault }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(day)
        let gets = world.api.state.withLock { $0.gets }
        #expect(world.sent.isEmpty && world.api.state.withLock { $0.permit } == 0)
        #expect(gets.count > 80 && gets.count < 300 && Set(gets).count <= 3, "\(gets.count) asked in a day")
        expectLines(world.lines.all, of: .deferred, over: day)
        try await drain(world, expected, tried: [])
      }
    }

    @Test func anotherAccountThatAnswersOnlyAfterAnOutageIsSentNothing() async throws {
      let world = try await queue(20)
      world.api.state.withLock { state in
        state.down = .refused
        state.table.removeAll()
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(.seconds(600))
        world.api.state.withLock { $0.down = nil }
        try await world.reaches(within: .seconds(1200)) { world.lines.of(.apiHalted).count == 1 }
        #expect(world.lines.of(.apiHalted).first?.reason == "account_changed")
        // Expects a probe that is not answered not to end the halt either.
        world.api.state.withLock { $0.down = .internalError }
        try await world.pass(.seconds(3600))
        #expect(world.lines.of(.apiRecovered).isEmpty && world.lines.of(.apiHalted).count == 1)
      }
      #expect(world.sent.isEmpty)
      #expect(try await world.counts() == [.queued: 20])
    }

    @Test func aLongQueueCostsNoMoreThanAShortOne() async throws {
      let world = try await queue(10_000)
      let expected = try await order(world)
      goDown(world, .refused, .zero)
      let before = world.ledger.state.withLock { $0.count }
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(day)
        let asked = world.api.state.withLock { $0.queries.count + $0.gets.count }
        #expect(world.sent.isEmpty && asked > 80 && asked < 600)
        #expect(world.ledger.state.withLock { $0.count } - before < asked * 12)
        world.api.state.withLock { ($0.onReserve, $0.down, $0.convertLatency) = (nil, nil, .milliseconds(140)) }
        let tried = world.sent.count
        try await world.reaches(within: .seconds(1800)) { world.sent.count >= tried + 100 }
        let places = world.sent.dropFirst(tried).prefix(100).compactMap {
          expected.firstIndex(of: $0.transactionID.text)
        }
        #expect(zip(places, 0...).allSatisfy { abs($0 - $1) < PacingRules.inFlightMax })
      }
    }

    @Test(arguments: [ConvertFault.refused, .internalError, .requestLost])
    func whatCannotBeLookedAtIsNotLookedAtByEachOrder(fault: ConvertFault) async throws {
      let world = try await queue()
      let expected = try await order(world)
      // The mirror's copies are old, and nothing may be frozen before they are looked at.
      world.clock.advance(to: world.clock.uptime + .seconds(3600))
      let latency: Duration = fault == .requestLost ? .seconds(30) : .zero
      goDown(world, fault, latency)
      try await world.running([world.delivery, world.matching]) {
        try await world.pass(day)
        let gets = world.api.state.withLock { $0.gets }
        #expect(world.sent.isEmpty && gets.count > 80 && gets.count < 300, "\(gets.count) looks in a day")
        // The first are for the account.
        #expect(Set(gets.dropFirst(3)).count <= Breaker.failuresMax)
        expectLines(world.lines.all, of: .deferred, over: day)
        let tried = try await world.orders().filter { $0.reason == LookFailure.reason }.map(\.orderID)
        #expect(!tried.isEmpty && tried.count <= Breaker.failuresMax)
        try await drain(world, expected, tried: fault == .refused ? [] : Set(tried))
      }
    }

    @Test func readsAndSendsTellOfTheSameOutageOnce() async throws {
      let world = try await queue(50)
      try await world.running([world.delivery, world.matching, world.mirror]) {
        try await world.reaches(within: .seconds(600)) { try await world.counts() == [.reported: 50] }
        world.api.state.withLock { $0.down = .refused }
        let before = world.lines.all.count
        try await world.pass(.seconds(600))
        world.api.put(makeReferral("r51", email: "friend51@example.com"))
        try await world.take([.readable(makeOrder(1, email: "friend1@example.com"))])
        try await world.pass(day)
        expectLines(Array(world.lines.all.dropFirst(before)), of: .mirrorFailed, over: day + .seconds(600))
        let outage = world.lines.all.count
        world.api.state.withLock { $0.down = nil }
        try await world.pass(.seconds(3600))
        let after = world.lines.all.dropFirst(outage).filter { $0.level >= .notice }
        #expect(after.map(\.event) == ["mirror_recovered"])
      }
    }

    @Test(arguments: [ConvertFault.refused, .internalError, .requestLost])
    func sixteenThatFailTogetherAreOneFailure(fault: ConvertFault) async throws {
      let world = try await queue()
      let expected = try await order(world)
      world.api.state.withLock { $0.convertLatency = .seconds(2) }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(120)) { try await world.counts()[.sending] == 16 }
        world.api.state.withLock { $0.down = fault }
        let before = world.sent.count
        // Those that are under way are still taken; the sixteen after them are not.
        try await world.reaches(within: .seconds(60)) {
          !world.lines.of(.deferred).filter { $0.level >= .notice }.isEmpty
        }
        try await world.pass(.seconds(2))
        let tried = Set(world.sent.dropFirst(before).map(\.transactionID.text))
        #expect(tried.count <= 17)
        let tries: @Sendable () -> Int = { world.api.state.withLock { $0.sent.count + $0.queries.count } }
        let width = tries()
        // The back-off begins with its shortest wait.
        try await world.pass(.seconds(8))
        #expect(tries() > width, "probed again within seconds")
        try await world.pass(day)
        #expect(Set(world.sent.dropFirst(before).map(\.transactionID.text)) == tried, "no other is tried")
        #expect(tries() - width < 600)
        let unread = try await world.orders().filter { $0.reason == LookFailure.reason }.map(\.orderID)
        #expect(unread.count <= PacingRules.inFlightMax)
        expectLines(world.lines.all.filter { $0.event != "reported" }, of: .deferred, over: day)
        try await drain(world, expected, tried: tried.union(unread))
      }
    }

    @Test func aProbeThatIsNotToBeSentAnyMoreIsNoReasonToSpin() async throws {
      let world = try await queue()
      let expected = try await order(world)
      world.api.state.withLock { $0.convertFaults = Array(repeating: .internalError, count: 3) }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { world.sent.count == 3 }
        try await world.quiet()
        // It may have been done, and is worth nothing any more.
        let probe = try #require(world.sent.last?.transactionID.text)
        let key = try #require(try await world.orders().first { $0.orderID == probe }?.row.key)
        world.shop.change(key) { $0.qualifies = false }
        try await world.reaches(within: .seconds(60)) { world.sent.count > 40 }
        #expect(world.api.state.withLock { $0.gets.count } < 20, "the others are sent meanwhile")
        #expect(world.sent.dropFirst(3).first?.transactionID.text == expected[3])
        try await world.reaches(within: .seconds(7200)) {
          try await world.counts() == [.reported: Self.queued - 1, .cancelled: 1]
        }
      }
      #expect(world.violations.isEmpty && world.api.state.withLock { $0.permits.isEmpty })
    }
  }
}
