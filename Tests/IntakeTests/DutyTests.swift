import Conversions
import Ledger
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// Measures the time for which the shop's database is busy with being read, by its own account
/// (`pg_stat_database.active_time`), where the change column has no index and each look at it reads the whole table.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DutyTests {
  private static let rows = 200_000

  /// Orders that no referral can match any more: read, counted and not kept.
  private static let table = """
    CREATE TABLE orders (id bigint PRIMARY KEY, email text, total numeric(12,2) DEFAULT 10, status text DEFAULT 'paid',
      created_at timestamptz DEFAULT clock_timestamp(), updated_at timestamptz, note text DEFAULT repeat('x', 60));
    INSERT INTO orders (id, email, created_at, updated_at)
      SELECT i, i || '@example.com', now() - interval '100 days', now() - interval '100 days'
      FROM generate_series(1, \(rows)) i;
    ANALYZE orders;
    """

  private func settings(duty: Double) -> Intake.Settings {
    Intake.Settings(start: .everything, pollInterval: .milliseconds(100), sweepInterval: .milliseconds(200), duty: duty)
  }

  /// Milliseconds that sessions of the world's database have been at work so far: asked elsewhere, so as not to count.
  private func active(_ world: IntakeWorld) async throws -> Double {
    let elsewhere = world.database.cluster.database("postgres")
    let text = try await elsewhere.execute(
      "SELECT active_time FROM pg_stat_database WHERE datname = '\(world.database.name)'")
    return try #require(Double(text))
  }

  private struct Share {
    var busy: Duration
    var time: Duration
    var looks: Int
    /// The longest look, as measured by the caller of the source.
    var longest: Duration
  }

  /// Measures the database's busy time from now on, for as long as it takes to tell.
  private func share(_ world: IntakeWorld, for time: Duration) async throws -> Share {
    let (before, costs, began) = (try await active(world), world.source.costs.count, ContinuousClock.now)
    var share = Share(busy: .zero, time: .zero, looks: 0, longest: .zero)
    // Sessions report what they did once a second at most, so that some of it comes in late.
    _ = try await eventually(within: .seconds(120), every: .seconds(1)) {
      share.busy = .milliseconds(Int(try await active(world) - before))
      (share.time, share.looks) = (ContinuousClock.now - began, world.source.costs.count - costs)
      share.longest = world.source.costs.dropFirst(max(0, costs - 2)).max() ?? .zero
      return share.time > time && share.looks > 2
    }
    return share
  }

  @Test(arguments: [["updated_at"], []] as [[String]])
  func theSweepAndTheLooksAtAColumnWithoutAnIndexKeepToOnePercent(changes: [String]) async throws {
    let filled = try await IntakeWorld.make(Self.table, settings: settings(duty: 1)) { $0.columns.updatedAt = changes }
    try await filled.run {
      try await filled.catchesUp(within: .seconds(120))
      // Proves the measure: without rest the database has hardly anything else to do.
      let all = try await share(filled, for: .seconds(5))
      #expect(all.busy > all.time / 10, "unlimited: \(all)")
    }
    let world = try filled.restarted(settings: settings(duty: 0.01))
    try await world.run {
      // Leaves out the costs of a start, which come once, and a first look that had no rest before it.
      try await world.reaches(within: .seconds(60)) { world.source.costs.count > 1 }
      let share = try await share(world, for: .seconds(25))
      print("duty with \(changes): \(share)")
      #expect(share.looks > 2, "it does read")
      // Allows one percent for sweeps and one for recent changes, half as much again for what a look's own time doesn't
      // show, and the looks with which the measured time began and ended.
      #expect(share.busy < share.time * 3 / 100 + share.longest * 2, "\(share)")
    }
  }
}
