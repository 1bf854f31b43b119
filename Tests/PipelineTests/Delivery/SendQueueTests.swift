import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// The order in which the queue is read, the length of a read, and the return to its head.
  @Suite(.timeLimit(.minutes(5))) struct SendQueueTests {
    /// A ledger with live orders and a backlog behind them, all due.
    private func world(live: ClosedRange<Int>, backfill: ClosedRange<Int>) async throws -> World {
      let world = try World()
      for key in [live, backfill].joined() { world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com")) }
      try await world.mirrorAPI()
      try await world.endCatchUp()
      try await world.take(backfill.map { .readable(makeOrder($0)) }, isBackfill: true)
      try await world.take(live.map { .readable(makeOrder($0)) })
      try await world.decideAll()
      return world
    }

    /// Takes so many, each of which is under way from then on.
    private func take(
      _ count: Int, _ queue: inout SendQueue, _ inFlight: inout Set<EntryID>, width: Int = 768
    ) async throws -> [String] {
      var taken: [String] = []
      while taken.count < count, let next = try await queue.next(except: inFlight, width: width, probe: nil) {
        queue.takeNext()
        #expect(inFlight.insert(next.entry).inserted, "\(next.orderID) is under way already")
        taken.append(next.orderID)
      }
      return taken
    }

    @Test(arguments: [1, 3, 16, 768]) func eachComesOnceAndInOrder(width: Int) async throws {
      let world = try await world(live: 1...300, backfill: 301...700)
      let now = world.clock.now
      let all = try await world.ledger.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: 1000) }
      #expect(all.count == 700 && all.prefix(300).allSatisfy { !$0.isBackfill })
      var (queue, inFlight) = (SendQueue(world.context, keys: makeRules().keys), Set<EntryID>())
      #expect(try await take(1000, &queue, &inFlight, width: width) == all.map(\.orderID))
    }

    @Test func aLiveOrderComesBeforeTheRestOfABacklogAfterAMoment() async throws {
      let world = try await world(live: 1...1, backfill: 2...700)
      var (queue, inFlight) = (SendQueue(world.context, keys: makeRules().keys), Set<EntryID>())
      _ = try await take(300, &queue, &inFlight)
      try await world.queue(1000)
      #expect(try await take(1, &queue, &inFlight) != ["order_1000"], "the rest is known for a moment")
      world.clock.advance(to: world.clock.uptime + .seconds(1))
      #expect(try await take(1, &queue, &inFlight) == ["order_1000"])
      #expect(try await take(1000, &queue, &inFlight).count == 700 - 301)
    }

    @Test func whatComesAtTheEndIsSeenAtOnce() async throws {
      let world = try await world(live: 1...3, backfill: 4...4)
      var (queue, inFlight) = (SendQueue(world.context, keys: makeRules().keys), Set<EntryID>())
      #expect(try await take(9, &queue, &inFlight).count == 4)
      try await world.queue(5)
      #expect(try await take(9, &queue, &inFlight) == ["order_5"])
    }

    @Test func whatIsUnderWayIsNotGivenAgainFromTheHead() async throws {
      let world = try await world(live: 1...300, backfill: 301...400)
      var (queue, inFlight) = (SendQueue(world.context, keys: makeRules().keys), Set<EntryID>())
      let first = try await take(280, &queue, &inFlight)
      queue.forget()
      let others = try await take(500, &queue, &inFlight)
      #expect(Set(first + others).count == 400)
    }

    @Test func aProbeThatIsFoundEndsTheWaitForAWalk() async throws {
      let world = try World()
      for key in 1...3 { world.api.put(makeReferral("r\(key)", email: "friend\(key)@example.com")) }
      try await world.mirrorAPI()
      try await world.endCatchUp()
      world.clock.advance(to: world.clock.uptime + .seconds(10))
      try await world.take((1...3).map { .readable(makeOrder($0)) })
      try await world.decideAll()
      let entries = (1...3).map { EntryID(Int64($0)) }
      #expect(try await world.outcomes() == [.queued: 3])
      let sentAt = world.clock.now
      try await world.ledger.base.transaction { transaction in
        for entry in entries.prefix(2) {
          guard let order = try transaction.entry(entry), let report = ConversionReport(of: order) else { return }
          _ = try transaction.beginSend(entry, report, at: sentAt)
        }
      }
      // The API's search is found to lie while two are under way; the third waits for a walk.
      world.clock.advance(to: world.clock.uptime + .seconds(60))
      world.context.searchDoubts.doubt(.email, "it lies", world.context)
      let later = world.clock.now
      var queue = SendQueue(world.context, keys: makeRules().keys)
      #expect(try await queue.next(except: Set(entries.prefix(2)), width: 16, probe: nil) == nil)
      // Both fail, and the first is the probe, which the API takes.
      _ = try await world.ledger.base.transaction { try $0.recoverInterruptedSends(at: later) }
      #expect(try await queue.next(except: [], width: 1, probe: entries[0])?.entry == entries[0])
      queue.takeNext()
      #expect(try await queue.next(except: [entries[0]], width: 2, probe: nil)?.entry == entries[1])
    }

    @Test func whoLostItsReferralSinceItWasReadIsNotSent() async throws {
      let world = try World()
      world.api.put(makeReferral("r1", email: "friend1@example.com"))
      try await world.mirrorAPI()
      try await world.endCatchUp()
      for key in 1...2 {
        let order = makeOrder(key, email: "friend1@example.com")
        world.shop.put(order)
        try await world.take([.readable(order)])
      }
      try await world.decideAll()
      let now = world.clock.now
      let read = try await world.ledger.base.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: 9) }
      let first = try #require(read.first)
      #expect(read.count == 1 && first.claims)
      // Meanwhile the other one was given the referral, and is being sent.
      try await world.ledger.base.transaction { transaction in
        var decision = Decision(.queued)
        (decision.referralID, decision.claims, decision.value) = (first.referralID, true, first.value)
        let other = EntryID(3 - first.entry.number)
        try transaction.decide(other, decision, at: now)
        guard let order = try transaction.entry(other), let report = ConversionReport(of: order) else { return }
        _ = try transaction.beginSend(other, report, at: now)
      }
      let starts = AttemptStarter(world.context, rules: makeRules())
      guard case .stays(.dropped) = try await starts.start(.init(order: first, askedAt: world.clock.uptime)) else {
        Issue.record("a second order is sent for one referral")
        return
      }
      #expect(try await world.ledger.base.transaction { try $0.entry(first.entry)?.claims } == false)
    }

    @Test func theHeadIsReadNoFurtherThanItIsTaken() async throws {
      let world = try await world(live: 1...600, backfill: 601...700)
      let now = world.clock.now
      let all = try await world.ledger.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: 1000) }
      var (queue, inFlight) = (SendQueue(world.context, keys: makeRules().keys), Set<EntryID>())
      _ = try await take(100, &queue, &inFlight)
      // Those under way are marked by now, and not among what is read.
      try await world.ledger.base.transaction { transaction in
        for order in all.prefix(100) {
          guard let report = ConversionReport(of: order) else { return }
          _ = try transaction.beginSend(order.entry, report, at: now)
        }
      }
      queue.forget()
      #expect(try await take(1000, &queue, &inFlight) == all.dropFirst(100).map(\.orderID))
    }

    @Test func anAnswerThatGrewOldWhileTheLedgerStoodStillJustifiesNoSend() async throws {
      let world = try await world(live: 1...1, backfill: 2...2)
      for key in 1...2 { world.shop.put(makeOrder(key)) }
      let now = world.clock.now
      let order = try #require(
        try await world.ledger.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: 1) }.first)
      let askedAt = world.clock.uptime
      world.ledger.state.withLock {
        $0.before = { _ in world.clock.advance(to: askedAt + ReferralQuestion.answerLasts + .milliseconds(1)) }
      }
      let starts = AttemptStarter(world.context, rules: makeRules())
      guard case .stays(.changed) = try await starts.start(.init(order: order, askedAt: askedAt)) else {
        Issue.record("it was sent by an old answer")
        return
      }
      world.ledger.state.withLock { $0.before = nil }
      guard case .goes = try await starts.start(.init(order: order, askedAt: world.clock.uptime)) else {
        Issue.record("it was not sent by a new answer")
        return
      }
    }
  }
}
