import Conversions
import Ledger
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// A database with a short time limit for statements.
@Suite(.serialized) struct TroubleTests {
  /// Five orders to the block, each of them some milliseconds of work.
  private static func table(_ seconds: Double) -> String {
    """
    CREATE FUNCTION md5(x text, slow boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN PERFORM pg_sleep(\(seconds)); RETURN x; END $$;
    CREATE TABLE orders (id int PRIMARY KEY, email text, total int DEFAULT 1, status text DEFAULT 'paid',
      created_at timestamptz DEFAULT now(), filler text DEFAULT repeat('x', 1500));
    INSERT INTO orders (id, email) SELECT i, i || '@example.com' FROM generate_series(1, 100) i;
    """
  }

  private func world(_ seconds: Double, timeout: String) async throws -> (IntakeWorld, role: String) {
    let cluster = try await PostgresCluster.shared()
    let world = try await IntakeWorld.make(Self.table(seconds), cluster: cluster) { mapping in
      let name = mapping.connection.split(separator: "dbname=")[1].split(separator: " ")[0]
      mapping.connection = cluster.conninfo(database: String(name), user: "hurried_\(name)")
      mapping.columns.email = "md5(email, true)"
    }
    let role = "hurried_\(world.database.name)"
    try await world.sql(
      """
      CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role);
      ALTER ROLE \(role) SET statement_timeout = '\(timeout)';
      """)
    return (world, role)
  }

  @Test func aTimeLimitOfTheRoleMakesPiecesSmaller() async throws {
    let (world, _) = try await world(0.003, timeout: "120ms")
    try await world.run {
      try await world.reaches(within: .seconds(60)) { try await world.total() == 100 }
      #expect(world.source.sweptCount > 3)
      #expect(world.lines.of(.pollWarning).contains { $0.message.contains("less is read at a time") })
    }
  }

  @Test func aTimeLimitThatNothingFitsInIsNoHotLoop() async throws {
    let (world, role) = try await world(0.02, timeout: "5ms")
    try await world.run {
      try await world.reaches { world.lines.of(.pollFailed).count == 1 }
      let (before, began) = (world.source.calls, ContinuousClock.now)
      try await world.reaches { ContinuousClock.now - began > .seconds(3) }
      #expect(world.source.calls - before < 15)
      #expect(try await world.total() == 0)
      // It heals: the role's own limit is gone, and its sessions with it.
      try await world.sql(
        """
        ALTER ROLE \(role) RESET statement_timeout;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(role)';
        """)
      try await world.reaches(within: .seconds(60)) { try await world.total() == 100 }
      try await world.reaches { world.lines.of(.pollRecovered).count == 1 }
    }
  }

  @Test func sessionsThatAreTerminatedInTheMiddle() async throws {
    let world = try await IntakeWorld.make(Self.table(0.002)) { $0.columns.email = "md5(email, true)" }
    try await world.run {
      for number in 101...110 {
        try await world.sql(
          """
          INSERT INTO orders (id, email) VALUES (\(number), 'a@example.com');
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'conversiond' AND datname = current_database();
          """)
      }
      try await world.reaches(within: .seconds(60)) { try await world.total() == 110 }
      try await world.sql("UPDATE orders SET total = 9 WHERE id = 50")
      try await world.reaches { try await world.order("50")?.order?.total == .amount("9", currency: "EUR") }
    }
  }
}
