import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Faults that an attack on delivery found.
  @Suite(.timeLimit(.minutes(5))) struct AttackedDeliveryTests {
    @Test(
      "a commit that is kept, and told as failed, leaves no order marked as being sent that nobody sends",
      arguments: 1...16)
    func keptMarks(moment: Int) async throws {
      let world = try await World.queued(2)
      let ledger = world.ledger
      let first = ledger.state.withLock { $0.count }
      ledger.state.withLock { state in
        state.before = { number in
          if number == first + moment { ledger.state.withLock { $0.faults = [.after] } }
        }
      }
      // Between reading and sending.
      for key in 1...2 { world.shop.change(OrderKey(String(key))) { $0.total = .amount("777", currency: "EUR") } }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(3600)) { try await world.outcomes() == [.reported: 2] }
      }
      #expect(world.done.count == 2 && world.violations.isEmpty)
      ledger.state.withLock { $0.before = nil }
    }

    @Test("a conversion from before the first send that may have been done is not taken for ours")
    func conversionBeforeTheDoubt() async throws {
      let refusal = ConvertFault.status(429, code: "RATE_LIMITED", retryAfter: .seconds(3600))
      let world = try await World.queued(1, refusal, .requestLost)
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(60)) { try await world.attempts(1).first?.verdict == "not_done" }
        try await world.pass(.seconds(1200))
        // The same purchase, by the partner's other program: the value is the same.
        world.api.convertElsewhere("r1", value: 500)
        try await world.reaches(within: .seconds(7200)) { try await world.outcome(1)?.isWaiting == false }
      }
      #expect(world.sent.count == 1 && world.done.isEmpty, "what was refused for sure is asked for like a first send")
      #expect(try await world.outcome(1) == .superseded)
    }

    @Test("a 409 whose verification the daemon's end cuts short is no doubt after the restart")
    func cutVerification() async throws {
      let world = try await World.queued(1)
      world.convertElsewhereAtTheSend("r1", value: 500)
      let api = world.api
      let running = Mutex<Task<Void, any Error>?>(nil)
      api.state.withLock {
        $0.onGet = { _ in
          guard api.state.withLock({ !$0.sent.isEmpty }) else { return }
          running.withLock { $0?.cancel() }
          // Until the grace is over, which is none.
          for _ in 0..<1_000_000 where !Task.isCancelled { await Task.yield() }
        }
      }
      let loop = world.start { try await world.delivery(stopGrace: .zero).run() }
      running.withLock { $0 = loop }
      try await world.pass(.seconds(2)) { !world.sent.isEmpty }
      try await world.end(loop)
      api.state.withLock { $0.onGet = nil }
      let again = try world.restarted()
      again.checkSends()
      try await again.running([again.delivery, again.matching]) {
        try await again.reaches(within: .seconds(3600)) { try await again.outcome(1)?.isWaiting == false }
      }
      #expect(try await again.outcome(1) == .superseded && again.done.isEmpty)
    }

    @Test("an answer whose commit was kept, and told as failed, is stored once and told of")
    func keptAnswer() async throws {
      let world = try await World.queued(1)
      let ledger = world.ledger
      let check = world.api.state.withLock { $0.onConvert }
      world.api.state.withLock {
        $0.onConvert = { report in
          await check?(report)
          ledger.state.withLock { $0.faults = [.after] }
        }
      }
      try await world.running([world.delivery, world.matching]) {
        try await world.reaches(within: .seconds(600)) { try await world.outcomes() == [.reported: 1] }
      }
      let attempts = try await world.attempts(1)
      #expect(attempts.count == 1 && attempts.first?.verdict == "reported")
      #expect(world.lines.of(.reported).count == 1 && world.lines.of(.ledgerFailed).isEmpty)
      #expect(world.sent.count == 1 && world.violations.isEmpty)
    }

    @Test("another account's halt is not made weaker by a key that is refused later")
    func twoHalts() async throws {
      let world = try await World.queued(1)
      let now = world.clock.now
      for reason in [HaltReason.accountChanged, .keyRefused] {
        try await world.ledger.transaction { try SendingHalt(reason: reason, detail: "-", since: now).begin($0) }
      }
      #expect(try await world.ledger.transaction { try $0.sendingHalt()?.reason } == .accountChanged)
      try await world.ledger.transaction { try $0.setSendingHalt(nil) }
      try await world.ledger.transaction { try SendingHalt(reason: .tls, detail: "-", since: now).begin($0) }
      #expect(try await world.ledger.transaction { try $0.sendingHalt()?.reason } == .tls)
    }
  }
}
