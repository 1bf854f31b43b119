import Conversions
import Ledger
import Orders
import Pipeline
import TestHosts
import Testing

/// A shop with years of orders is met for the first time.
@Suite(.serialized) struct BacklogTests {
  private static let count = 200_000

  /// All but the last hundred are years old; a third of them don't qualify.
  private static let table =
    IntakeWorld.table + """
      INSERT INTO orders (email, status, created_at, updated_at)
        SELECT 'friend' || i || '@example.com', CASE WHEN i % 3 = 0 THEN 'open' ELSE 'paid' END,
          CASE WHEN i > \(count - 100) THEN now() - interval '1 day' ELSE now() - interval '3 years' END,
          now() - interval '1 hour'
        FROM generate_series(1, \(count)) i;
      CREATE INDEX ON orders (updated_at);
      ANALYZE orders;
      """

  @Test func aBacklogThatIsInterrupted() async throws {
    // Long transactions of other tests would hold back the horizon.
    let cluster = try await PostgresCluster.start()
    let leisurely = Intake.Settings(
      start: .everything, pollInterval: .milliseconds(50), sweepInterval: .milliseconds(100), duty: 0.3)
    var world = try await IntakeWorld.make(Self.table, cluster: cluster, settings: leisurely) {
      $0.columns.updatedAt = ["updated_at"]
    }
    // Gives two of the old orders a referral, one of them made after its order.
    try await world.mirror("r1", email: "friend1000@example.com", madeAgo: .seconds(4 * 365 * 86_400))
    try await world.mirror("r2", email: "friend\(Self.count - 1)@example.com", madeAgo: .seconds(5 * 86_400))
    try await world.run {
      // Orders that are placed meanwhile needn't wait for the backlog's end.
      world.source.stop { piece in piece.range.number >= 3 }
      try await world.reaches { world.source.stopped != nil }
      try await world.sql("INSERT INTO orders (email, updated_at) VALUES ('live@example.com', now())")
      world.source.release()
      world.source.stop { piece in piece.range.number >= 7 }
      try await world.reaches { try await world.order("\(Self.count + 1)") != nil }
      #expect(try await world.progress().firstCaughtUpAt == nil)
      #expect(try await world.order("\(Self.count + 1)")?.isBackfill == false)
      try await world.reaches(within: .seconds(60)) { world.source.stopped != nil }
    }
    let ranges = try await world.ranges()
    #expect(ranges.filter { $0.wholeAt != nil }.count >= 4)
    let taken = try await world.total()
    #expect(taken > 10_000 && taken < Self.count)
    let readBefore = world.source.sweptCount
    world = try world.restarted(settings: .quick)
    try await world.run {
      try await world.catchesUp(within: .seconds(60))
      #expect(try await world.total() == Self.count + 1)
      // Expects a range that was read whole before the restart not to be read whole again.
      let again = Dictionary(uniqueKeysWithValues: try await world.ranges().map { ($0.number, $0.wholeAt) })
      for range in ranges where range.wholeAt != nil && range.mark != nil && range.upper != nil {
        #expect(again[range.number] == range.wholeAt)
      }
      // Expects a slow piece to make the next ones smaller.
      #expect(world.source.costs.count { $0 > .seconds(1) } <= 2)
      let held = try await world.held()
      #expect(held.count < 300)
      #expect(held["1000"]?.isBackfill == true)
      #expect(held["\(Self.count - 1)"]?.outcome == .queued)
      #expect(held["\(Self.count - 1)"]?.isBackfill == true)
      let old = Self.count - 100
      let counts = try await world.counts()
      // The one that has a friend waits: nothing here confirms the clock by which it is too late.
      #expect(counts[.noReferral] == old - old / 3 - 1)
      #expect(held["1000"]?.reason == DecisionReason.clockUnconfirmed)
      #expect((counts[.notQualifying] ?? 0) >= old / 3)
      // Expects later changes of an old order still to be seen.
      try await world.sql("UPDATE orders SET status = 'paid' WHERE id = 3")
      try await world.sweeps(1)
    }
    #expect(readBefore > 3)
  }

  @Test func autoLeavesOutWhatNoReferralCanMatch() async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        INSERT INTO orders (email, created_at) VALUES ('a@example.com', now() - interval '9 days'),
          ('b@example.com', now() - interval '3 days'), ('c@example.com', now());
        """,
      settings: Intake.Settings(
        start: .oldestOpenReferral, pollInterval: .milliseconds(50), sweepInterval: .milliseconds(100), duty: 1))
    try await world.mirror("r", email: "z@example.com", madeAgo: .seconds(5 * 86_400))
    try await world.run {
      try await world.catchesUp()
      try await world.holds(["2", "3"])
      #expect(try await world.total() == 2)
      // Expects a change not to bring the oldest order in either.
      try await world.sql("UPDATE orders SET total = 4")
      try await world.reaches { try await world.order("2")?.order?.total == .amount("4.00", currency: "EUR") }
      try await world.sweeps()
      try await world.holds(["2", "3"])
    }
  }
}
