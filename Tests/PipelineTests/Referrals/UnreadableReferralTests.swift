import Conversions
import Ledger
import Logging
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// Referrals that are not what the reference promises, among others that are.
  @Suite(.timeLimit(.minutes(5))) struct UnreadableReferralTests {
    /// The referrals of 450 that can't be read, and the number of them that share an instant.
    private static let worlds: [(name: String, unreadable: [Int], isTimeless: Bool, instant: Int)] = [
      ("one", [7], false, 1), ("one without a time", [7], true, 1), ("at the end of a page", [98, 99, 100], false, 1),
      ("at the end of a page, without times", [97, 98, 99], true, 1), ("a whole page", Array(99...205), false, 1),
      ("in a full instant", Array(0..<50), false, 260), ("in a full instant, without times", Array(0..<50), true, 260),
    ]

    @Test(arguments: worlds)
    func theOthersGoOn(_ name: String, unreadable: [Int], isTimeless: Bool, instant: Int) async throws {
      let world = try World()
      for number in 0..<450 {
        let id = String(format: number)
        world.api.put(
          makeReferral(id, email: "friend\(number)@example.com", created: start - day + .seconds(number / instant)))
        if unreadable.contains(number) {
          world.api.state.withLock { $0.table.unreadable[ReferralID(id)] = isTimeless }
        }
      }
      for _ in 0..<2 {
        try await world.mirror.sweep()
        world.clock.advance(to: world.clock.uptime + .seconds(10))
      }
      let (progress, known) = try await world.ledger.base.transaction { transaction in
        (
          try transaction.mirrorProgress(),
          try (0..<450).filter { try transaction.referral(ReferralID(String(format: $0))) != nil }
        )
      }
      #expect(progress.distrust == nil && progress.completeSweepBeganAt != nil)
      #expect(known == (0..<450).filter { !unreadable.contains($0) })
      let lines = world.lines.of(.referralUnreadable)
      #expect(lines.count == unreadable.count, "each once")
      #expect(lines.allSatisfy { $0.level == .error && $0.message.contains("externalSourceId is no string") })
    }

    @Test func whatIsAlwaysThereAndNeverReadEndsNoWalkInSilence() async throws {
      let world = try World()
      for number in 0..<300 {
        let id = String(format: number)
        world.api.put(makeReferral(id, email: nil, created: start - day + .seconds(number)))
        world.api.state.withLock { $0.table.unreadable[ReferralID(id)] = true }
      }
      try? await world.mirror.sweep()
      let progress = try await world.ledger.base.transaction { try $0.mirrorProgress() }
      #expect(progress.completeSweepBeganAt == nil && progress.distrust != nil)
    }

    /// It was known, and the sweep that doesn't show it any more asks for it.
    @Test func oneThatBecomesUnreadableIsNoOutage() async throws {
      let world = try World()
      for number in 0..<30 { world.api.put(makeReferral(String(format: number), email: "f\(number)@example.com")) }
      try await world.mirror.sweep()
      world.clock.advance(to: world.clock.uptime + .seconds(60))
      let id = ReferralID(String(format: 3))
      world.api.state.withLock { state in
        state.table.unreadable[id] = false
        state.readFaults = Array(repeating: nil, count: 5) + [200]
      }
      try await world.mirror.sweep()
      #expect(world.api.state.withLock { $0.gets } == [id])
      #expect(world.lines.of(.referralUnreadable).count == 1)
    }
  }
}

extension String {
  /// An ID that sorts as its number does.
  fileprivate init(format number: Int) { self = "r\(10_000 + number)" }
}
