import Conversions
import Ledger
import Orders
import Pipeline
import TestHosts
import Testing

/// Tables of which no row version tells every change, followed by hashes of ranges of their keys.
@Suite(.serialized) struct HashTests {
  @Test func aPaymentBehindAView() async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        ALTER TABLE orders RENAME TO bought;
        CREATE TABLE payments (order_id bigint, at timestamptz DEFAULT now());
        CREATE VIEW orders AS SELECT b.*, CASE WHEN EXISTS (SELECT 1 FROM payments p WHERE p.order_id = b.id)
          THEN 'paid' ELSE 'open' END AS state FROM bought b;
        INSERT INTO bought (email) SELECT i || '@example.com' FROM generate_series(1, 5) i;
        """
    ) { $0.columns.status = "state" }
    try await world.run {
      try await world.holds(["1", "2", "3", "4", "5"])
      try await world.reaches { try await world.order("3")?.outcome == .notQualifying }
      try await world.sweeps()
      let horizon = try await world.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())")
      try await world.sql("INSERT INTO payments VALUES (3)")
      // No order has a new version.
      #expect(try await world.sql("SELECT count(*) FROM bought WHERE xmin::text::bigint >= \(horizon)") == "0")
      try await world.reaches { try await world.order("3")?.outcome == .waiting }
      try await world.sql("DELETE FROM payments")
      try await world.reaches { try await world.order("3")?.outcome == .cancelled }
      #expect(try await world.order("2")?.outcome == .notQualifying)
    }
  }

  @Test func aJoinedRowThatChangesAndGoes() async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        CREATE TABLE customers (id int PRIMARY KEY, mail text);
        ALTER TABLE orders ADD customer int;
        INSERT INTO customers SELECT i, i || '@example.com' FROM generate_series(1, 4) i;
        INSERT INTO orders (customer) SELECT i FROM generate_series(1, 4) i;
        """
    ) { mapping in
      mapping.from = "orders o LEFT JOIN customers c ON c.id = o.customer"
      mapping.columns = .init(
        id: "o.id", email: "c.mail", total: "o.total", currency: "'EUR'", status: "o.status", placedAt: "o.created_at")
    }
    try await world.run {
      try await world.holds(["1", "2", "3", "4"])
      try await world.sql("UPDATE customers SET mail = 'New@Example.com' WHERE id = 2")
      try await world.reaches { try await world.order("2")?.order?.email?.text == "new@example.com" }
      try await world.sql("DELETE FROM customers WHERE id = 3")
      try await world.reaches { try await world.order("3").map { $0.order?.email == nil } == true }
      try await world.sql("INSERT INTO orders (customer) VALUES (1)")
      try await world.holds(["1", "2", "3", "4", "5"])
    }
  }

  /// Keys whose order is not that of their bytes: ranges are cut by the database, in its own order.
  @Test(arguments: [
    ("uuid", "md5(i::text)::uuid", ""), ("text", "chr(65 + i % 26) || chr(97 + i * 7 % 26) || i", "COLLATE \"C\""),
    ("text", "chr(97 + i * 7 % 26) || '-' || chr(65 + i % 26) || i", "COLLATE \"en-x-icu\""),
    ("text", "chr(228 + i % 20) || i", "COLLATE \"de-x-icu\""), ("numeric", "i / 7.0", ""),
  ])
  func keysOfOtherOrders(type: String, key: String, collation: String) async throws {
    let world = try await IntakeWorld.make(
      """
      CREATE TABLE bought (id \(type) \(collation) PRIMARY KEY, email text, total int DEFAULT 1,
        status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      INSERT INTO bought (id, email) SELECT \(key), i || '@example.com' FROM generate_series(1, 7000) i;
      CREATE VIEW orders AS SELECT * FROM bought;
      """)
    try await world.run {
      try await world.reaches(within: .seconds(60)) { try await world.total() == 7000 }
      try await world.reaches { try await world.ranges().filter { $0.upper == nil }.count == 1 }
      #expect(try await world.ranges().count >= 3)
      try await world.sql(
        """
        UPDATE bought SET total = 99 WHERE id IN (SELECT id FROM bought ORDER BY id OFFSET 3500 LIMIT 1);
        INSERT INTO bought (id, email) SELECT \(key), 'late@example.com' FROM generate_series(7001, 7001) i;
        """)
      try await world.reaches { try await world.total() == 7001 }
      try await world.reaches {
        let orders = try await world.held().values
        return orders.contains { $0.order?.total == .amount("99", currency: "EUR") }
          && orders.contains { $0.order?.email?.text == "late@example.com" }
      }
    }
  }
}
