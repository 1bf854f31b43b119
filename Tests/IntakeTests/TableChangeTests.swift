import Conversions
import Ledger
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// Changes of a table while it is followed that leave no new version of any row to tell of them.
@Suite(.serialized) struct TableChangeTests {
  /// Orders 1 to 700, two to the block: more than one range.
  private static let large =
    IntakeWorld.table + """
      -- An ANALYZE under way would keep VACUUM from moving anything.
      ALTER TABLE orders SET (autovacuum_enabled = off);
      ALTER TABLE orders ADD filler text;
      ALTER TABLE orders ALTER filler SET STORAGE PLAIN;
      INSERT INTO orders (email, filler) SELECT i || '@example.com', repeat('x', 3500) FROM generate_series(1, 700) i;
      """

  /// Rows change places between the reads of two ranges: some from the part that was not read yet into the other one.
  @Test(arguments: ["VACUUM FULL orders", "CLUSTER orders USING upside_down"])
  func aRewriteBetweenTwoRanges(command: String) async throws {
    let world = try await IntakeWorld.make(
      Self.large + "CREATE INDEX upside_down ON orders ((-id)); DELETE FROM orders WHERE id <= 100;")
    try await world.run {
      world.source.stop { piece in piece.range.lower != nil }
      try await world.reaches { world.source.stopped != nil }
      let before = try await world.keys()
      #expect(!before.isEmpty && before.count < 600)
      // Going on as if nothing had happened would pass over these. As long as another transaction may still see the
      // deleted rows, they keep their places, and nothing moves.
      try await world.reaches {
        try await world.sql(command)
        let moved = try await world.sql("SELECT id FROM orders WHERE (ctid::text::point)[0] < 256")
        return !Set(moved.split(separator: "\n").map(String.init)).subtracting(before).isEmpty
      }
      world.source.release()
      try await world.reaches { try await world.keys().count == 600 }
      #expect(world.lines.of(.tableChanged).count == 1)
    }
  }

  @Test func partitionsThatComeAndGo() async throws {
    let world = try await IntakeWorld.make(
      """
      CREATE TABLE orders (id int, email text, total numeric DEFAULT 1, status text DEFAULT 'paid',
        created_at timestamptz DEFAULT now(), PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE o1 PARTITION OF orders FOR VALUES FROM (0) TO (10);
      CREATE TABLE o2 PARTITION OF orders FOR VALUES FROM (10) TO (20);
      CREATE TABLE old (LIKE orders INCLUDING ALL);
      INSERT INTO old (id, email) VALUES (21, 'old@example.com');
      INSERT INTO orders (id, email) VALUES (1, 'a@example.com'), (11, 'b@example.com');
      """)
    try await world.run {
      try await world.holds(["1", "11"])
      try await world.sweeps()
      try await world.sql("INSERT INTO orders (id, email) VALUES (12, 'c@example.com')")
      try await world.holds(["1", "11", "12"])
      let mark = try await world.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())")
      try await world.sql("ALTER TABLE orders ATTACH PARTITION old FOR VALUES FROM (20) TO (30)")
      #expect(try await world.sql("SELECT count(*) FROM orders WHERE xmin::text::bigint >= \(mark)") == "0")
      try await world.holds(["1", "11", "12", "21"])
      try await world.sql(
        "ALTER TABLE orders DETACH PARTITION o2; INSERT INTO orders (id, email) VALUES (2, 'd@example.com')")
      try await world.holds(["1", "2", "11", "12", "21"])
      // A row that another partition takes over.
      try await world.sql("UPDATE orders SET id = 22 WHERE id = 1")
      try await world.holds(["1", "2", "11", "12", "21", "22"])
    }
  }

  @Test func aColumnThatIsAddedWithADefault() async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + "INSERT INTO orders (email) SELECT i || '@example.com' FROM generate_series(1, 3) i;"
    ) { $0.columns.status = "coalesce(to_jsonb(orders.*) ->> 'state', status)" }
    try await world.run {
      try await world.reaches { try await world.order("3")?.outcome == .waiting }
      try await world.sweeps()
      let mark = try await world.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())")
      try await world.sql("ALTER TABLE orders ADD state text DEFAULT 'test'")
      #expect(try await world.sql("SELECT count(*) FROM orders WHERE xmin::text::bigint >= \(mark)") == "0")
      try await world.reaches { try await world.held().values.allSatisfy { $0.outcome == .cancelled } }
    }
  }

  @Test func aMappingThatChanged() async throws {
    var world = try await IntakeWorld.make(
      IntakeWorld.table
        + "INSERT INTO orders (email, status) VALUES ('a@example.com', 'paid'), ('b@example.com', 'shipped');"
    )
    try await world.run {
      try await world.reaches { try await world.order("2")?.outcome == .notQualifying }
      try await world.catchesUp()
    }
    world = try world.restarted { $0.qualifyingStatuses = ["paid", "shipped"] }
    try await world.run {
      try await world.reaches { try await world.order("2")?.outcome == .waiting }
      #expect(world.lines.of(.tableChanged).count == 1)
    }
    world = try world.restarted { $0.columns.email = "'x' || email" }
    try await world.run {
      try await world.reaches { try await world.order("1")?.order?.email?.text == "xa@example.com" }
      try await world.reaches { try await world.order("2")?.order?.email?.text == "xb@example.com" }
    }
    // The same again is no change: what was read stays read.
    let before = try await world.ranges()
    world = try world.restarted()
    try await world.run {
      try await world.catchesUp()
      #expect(world.lines.of(.tableChanged).isEmpty)
      #expect(try await world.ranges().map(\.wholeAt) == before.map(\.wholeAt))
    }
  }
}
