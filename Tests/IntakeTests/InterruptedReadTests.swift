import Conversions
import Ledger
import Logging
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// Reads that PostgreSQL ends in the middle, by itself or on a command: each is done again, and nothing is missed.
@Suite(.serialized, .timeLimit(.minutes(5))) struct InterruptedReadTests {
  /// Some rows to the block, each of them some milliseconds of work, and a table that one may be in the way of.
  private static let table = """
    CREATE TABLE brakes (level int);
    INSERT INTO brakes VALUES (0);
    CREATE FUNCTION md5(x text, slow boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN PERFORM pg_sleep(0.003); RETURN x; END $$;
    CREATE TABLE orders (id int PRIMARY KEY, email text, total int DEFAULT 1, status text DEFAULT 'paid',
      created_at timestamptz DEFAULT now(), filler text DEFAULT repeat('x', 1500));
    INSERT INTO orders (id, email) SELECT i, i || '@example.com' FROM generate_series(1, 60) i;
    """

  private static let reading = """
    FROM pg_stat_activity WHERE application_name = 'conversiond' AND datname = current_database()
      AND state = 'active' AND query LIKE ANY (ARRAY['%md5%', '%slow%'])
    """

  /// Every row that is there at the end was taken in, in its last version, and the log was not flooded.
  private func isWhole(_ world: IntakeWorld, rows: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws
  {
    try await world.sql("UPDATE orders SET total = 7 WHERE id IN (1, 30, \(rows))")
    try await world.reaches(within: .seconds(120), sourceLocation: sourceLocation) {
      let held = try await world.held()
      return held.count == rows
        && ["1", "30", "\(rows)"].allSatisfy { held[$0]?.order?.total == .amount("7", currency: "EUR") }
    }
    // Each of these tests ends what it does in a minute or two: one outage more or less, and a warning's coming and
    // going.
    try await world.reaches(sourceLocation: sourceLocation) {
      world.lines.of(.pollFailed).count == world.lines.of(.pollRecovered).count
    }
    let (failed, warned) = (world.lines.of(.pollFailed).count, world.lines.of(.pollWarning).count)
    #expect(failed + warned < 30, "\(failed) outages, \(warned) warnings", sourceLocation: sourceLocation)
  }

  @Test func readsThatSomebodyCancels() async throws {
    let world = try await IntakeWorld.make(Self.table) { $0.columns.email = "md5(email, true)" }
    try await world.run {
      var (cancelled, rows) = (0, 60)
      try await world.reaches(within: .seconds(120)) {
        rows += 1
        let hit = try await world.sql(
          """
          INSERT INTO orders (id, email) VALUES (\(rows), 'late@example.com');
          SELECT count(*) FROM (SELECT pg_cancel_backend(pid) \(Self.reading)) hit WHERE pg_cancel_backend;
          """)
        cancelled += Int(hit) ?? 0
        return cancelled >= 8
      }
      let said = world.lines.of(.pollFailed, .pollWarning).map(\.message)
      #expect(said.contains { $0.contains("57014") || $0.contains("a person cancelled it") }, "\(said)")
      try await isWhole(world, rows: rows)
    }
  }

  /// A read that holds the shop's table waits for another one, whose holder waits for the shop's table.
  @Test func readsThatAreTheVictimOfADeadlock() async throws {
    let sql = """
      CREATE TABLE names (id int PRIMARY KEY, name text);
      CREATE FUNCTION slow_name(x text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM pg_sleep(0.02);
        PERFORM 1 FROM names LIMIT 1; RETURN x; END $$;
      """
    let world = try await IntakeWorld.make(Self.table + sql) { mapping in
      mapping.columns.email = "slow_name(email)"
    }
    // Ours looks for deadlocks first, so that it is the one who is ended; and has no time limit that could be it.
    try await world.sql("ALTER DATABASE \(world.database.name) SET deadlock_timeout = '150ms'")
    try await world.run {
      let server = world.database.cluster
      let logged = { server.serverLog.countLines(with: "deadlock detected", "@\(world.database.name) ") }
      try await world.reaches(within: .seconds(120)) {
        // Repeats it, as no deadlock comes of it while ours isn't reading.
        try await world.sql(
          """
          SET deadlock_timeout = '30s';
          BEGIN; LOCK names; SELECT pg_sleep(0.05); LOCK orders; COMMIT;
          """)
        return logged() >= 3
      }
      try await isWhole(world, rows: 60)
    }
    #expect(world.lines.of(.pollFailed).allSatisfy { $0.reason == "transient" })
  }

  /// Errors that a standby gives for a conflict with its recovery, and that a shop's own serializable functions give.
  @Test(arguments: ["serialization_failure", "deadlock_detected", "query_canceled"])
  func readsThatAreToBeTriedAgain(condition: String) async throws {
    let sql = """
      CREATE FUNCTION braked(x text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
        IF (SELECT level FROM brakes) > 0 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '\(condition)'; END IF;
        RETURN x; END $$;
      """
    let world = try await IntakeWorld.make(Self.table + sql) { $0.columns.email = "braked(email)" }
    try await world.run {
      try await world.reaches(within: .seconds(60)) { try await world.total() == 60 }
      for round in 1...3 {
        let before = world.source.calls
        try await world.sql(
          "UPDATE brakes SET level = 1; INSERT INTO orders (id, email) VALUES (\(60 + round), 'late@example.com')")
        try await world.reaches(within: .seconds(60)) { world.lines.of(.pollFailed).count == round }
        #expect(try await world.total() == 59 + round, "nothing of a page that failed is taken in")
        try await world.sql("UPDATE brakes SET level = 0")
        try await world.reaches(within: .seconds(60)) { try await world.total() == 60 + round }
        try await world.reaches(within: .seconds(60)) { world.lines.of(.pollRecovered).count == round }
        #expect(world.source.calls > before)
      }
      #expect(world.lines.of(.pollFailed).allSatisfy { $0.reason == "transient" && $0.level == .warning })
      try await isWhole(world, rows: 63)
    }
  }
}

extension String {
  /// Counts the lines that hold each of some texts.
  fileprivate func countLines(with texts: String...) -> Int {
    split(separator: "\n").count { line in texts.allSatisfy { line.contains($0) } }
  }
}
