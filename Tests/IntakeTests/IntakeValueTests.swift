import Conversions
import Ledger
import Orders
import Pipeline
import TestHosts
import Testing

/// Values on their way from PostgreSQL into the ledger.
@Suite(.serialized) struct IntakeValueTests {
  private func spans(_ world: IntakeWorld) async throws -> [String: String] {
    try await world.held().compactMapValues { order in
      order.order.map { "\($0.placedAt.earliest) \($0.placedAt.latest)" }
    }
  }

  @Test func anHourThatOccursTwice() async throws {
    let world = try await IntakeWorld.make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, email text, total int DEFAULT 1, status text DEFAULT 'paid',
        created_at timestamp);
      INSERT INTO orders VALUES (1, 'a@example.com', 1, 'paid', '2026-10-25 02:30:00.000001'),
        (2, 'b@example.com', 1, 'paid', '2026-10-25 03:30:00.000001');
      """, rules: .patient
    ) { $0.timeZone = "Europe/Berlin" }
    try await world.run {
      try await world.holds(["1", "2"])
      #expect(
        try await spans(world) == [
          "1": "2026-10-25T00:30:00.000Z 2026-10-25T01:30:00.000Z",
          "2": "2026-10-25T02:30:00.000Z 2026-10-25T02:30:00.000Z",
        ])
    }
  }

  @Test func aDate() async throws {
    let world = try await IntakeWorld.make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, email text, total int DEFAULT 1, status text DEFAULT 'paid',
        created_at date);
      INSERT INTO orders VALUES (1, 'a@example.com', 1, 'paid', '2026-10-25'), (2, 'b@example.com', 1, 'paid', 'infinity');
      """, rules: .patient
    ) { $0.timeZone = "Europe/Berlin" }
    try await world.run {
      try await world.holds(["1", "2"])
      #expect(try await spans(world) == ["1": "2026-10-24T22:00:00.000Z 2026-10-25T22:59:59.999Z"])
      #expect(try await world.order("2")?.reason == ReviewReason.unreadable.rawValue)
    }
  }

  @Test(arguments: ["SQL_ASCII", "LATIN1"])
  func otherEncodings(encoding: String) async throws {
    let accent = encoding == "LATIN1" ? "chr(252)" : "convert_from('\\xc3bc'::bytea, 'SQL_ASCII')"
    let bad = encoding == "LATIN1" ? "'none'" : "convert_from('\\xff41'::bytea, 'SQL_ASCII')"
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        INSERT INTO orders (email) VALUES ('plain@example.com'), ('m' || \(accent) || 'ller@example.com'),
          (\(bad) || '@example.com'), ('last@example.com');
        """, encoding: encoding)
    try await world.run {
      try await world.holds(["1", "2", "3", "4"])
      #expect(try await world.order("2")?.order?.email?.text == "müller@example.com")
      #expect(try await world.order("4")?.order?.email?.text == "last@example.com")
      let third = try #require(try await world.order("3"))
      #expect(third.reason == (encoding == "LATIN1" ? "no_referral_yet" : "unreadable") || third.order != nil)
      if encoding == "SQL_ASCII" { #expect(third.outcome == .review) }
      // A bad row does not keep later changes from being seen.
      try await world.sql(
        "UPDATE orders SET total = 3 WHERE id = 4; INSERT INTO orders (email) VALUES ('e@example.com')")
      try await world.holds(["1", "2", "3", "4", "5"])
      try await world.reaches { try await world.order("4")?.order?.total == .amount("3.00", currency: "EUR") }
    }
  }

  @Test func idsThatAreNullOrRepeated() async throws {
    let world = try await IntakeWorld.make(
      """
      CREATE TABLE orders (k int PRIMARY KEY, id text, email text, total int DEFAULT 1, status text DEFAULT 'paid',
        created_at timestamptz DEFAULT now());
      INSERT INTO orders (k, id, email) VALUES (1, 'A', 'a@example.com'), (2, NULL, 'b@example.com'),
        (3, 'A', 'c@example.com'), (4, 'B', 'd@example.com');
      """
    ) { $0.key = "k" }
    try await world.run {
      try await world.holds(["1", "2", "3", "4"])
      try await world.reaches { try await world.order("1")?.outcome == .review }
      let reasons = try await world.held().mapValues(\.reason)
      #expect(reasons["1"] == "id_repeated" && reasons["3"] == "id_repeated" && reasons["2"] == "unreadable")
      #expect(try await world.order("4")?.outcome == .waiting)
      // A person has put it right.
      try await world.sql("UPDATE orders SET id = 'C' WHERE k = 3; UPDATE orders SET id = 'D' WHERE k = 2")
      try await world.reaches {
        try await world.held().values.allSatisfy { $0.outcome == .waiting }
      }
    }
  }
}
