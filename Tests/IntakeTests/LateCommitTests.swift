import Conversions
import Ledger
import Orders
import Pipeline
import Postgres
import TestHosts
import Testing

/// Orders that become visible after later ones were read.
@Suite(.serialized) struct LateCommitTests {
  @Test func anOrderThatCommitsLate() async throws {
    let world = try await IntakeWorld.make()
    try await world.run {
      try await world.catchesUp()
      let slow = try await world.session()
      _ = try await slow.query("BEGIN")
      _ = try await slow.query("INSERT INTO orders (email) VALUES ('slow@example.com')")
      try await world.sql("INSERT INTO orders (email) VALUES ('quick@example.com')")
      try await world.holds(["2"])
      try await world.sweeps(3)
      _ = try await slow.query("COMMIT")
      // Shows that a cursor over the key, or over the time of placing, would read nothing from here on.
      let placed = try await world.sql("SELECT created_at FROM orders WHERE id = 2")
      #expect(try await world.sql("SELECT count(*) FROM orders WHERE id > 2") == "0")
      #expect(try await world.sql("SELECT count(*) FROM orders WHERE created_at > '\(placed)'") == "0")
      try await world.holds(["1", "2"])
    }
  }

  @Test func rowsOfASavepoint() async throws {
    let world = try await IntakeWorld.make()
    try await world.run {
      try await world.catchesUp()
      let slow = try await world.session()
      _ = try await slow.query("BEGIN")
      _ = try await slow.query("SAVEPOINT a")
      _ = try await slow.query("INSERT INTO orders (email) VALUES ('one@example.com')")
      _ = try await slow.query("RELEASE a")
      _ = try await slow.query("SAVEPOINT b")
      _ = try await slow.query("INSERT INTO orders (email) VALUES ('two@example.com')")
      let later = try await world.session()
      // A sub-transaction's number lies below a later transaction's, and in no snapshot's list.
      let snapshot = try await later.query("SELECT pg_current_snapshot()::text").text(0, 0) ?? ""
      let version = try await slow.query("SELECT xmin::text FROM orders WHERE id = 1").text(0, 0) ?? ""
      #expect(!snapshot.split(separator: ":").dropFirst(2).joined().split(separator: ",").contains { $0 == version })
      try await world.sql("INSERT INTO orders (email) VALUES ('quick@example.com')")
      try await world.holds(["3"])
      try await world.sweeps(3)
      _ = try await slow.query("COMMIT")
      try await world.holds(["1", "2", "3"])
    }
  }

  @Test func aPreparedTransaction() async throws {
    let world = try await IntakeWorld.make()
    try await world.run {
      try await world.catchesUp()
      try await world.sql(
        "BEGIN; INSERT INTO orders (email) VALUES ('x@example.com'); PREPARE TRANSACTION 'p\(world.database.name)'")
      try await world.sql("INSERT INTO orders (email) VALUES ('quick@example.com')")
      try await world.holds(["2"])
      try await world.sweeps(3)
      try await world.sql("COMMIT PREPARED 'p\(world.database.name)'")
      try await world.holds(["1", "2"])
    }
  }

  /// The change column says nothing, or something wrong: only the sweep finds these.
  @Test(arguments: ["NULL", "now() - interval '1 year'", "updated_at"])
  func aChangeColumnThatIsWrong(updated: String) async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + "INSERT INTO orders (email, status, updated_at) SELECT i || '@example.com', 'open', now() "
        + "FROM generate_series(1, 3) i;"
    ) { $0.columns.updatedAt = ["updated_at"] }
    try await world.run {
      try await world.holds(["1", "2", "3"])
      try await world.reaches { try await world.order("2")?.outcome == .notQualifying }
      let newest = try await world.sql("SELECT max(updated_at) FROM orders")
      try await world.sql(
        """
        UPDATE orders SET status = 'paid', updated_at = \(updated) WHERE id = 2;
        INSERT INTO orders (email, updated_at) VALUES ('4@example.com', \(updated == "updated_at" ? "NULL" : updated));
        """)
      #expect(try await world.sql("SELECT count(*) FROM orders WHERE updated_at > '\(newest)'") == "0")
      try await world.reaches { try await world.order("2")?.outcome == .waiting }
      try await world.holds(["1", "2", "3", "4"])
    }
  }

  @Test func aRowThatMovesFromAnUnreadRangeIntoAReadOne() async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        ALTER TABLE orders ADD filler text;
        ALTER TABLE orders ALTER filler SET STORAGE PLAIN;
        INSERT INTO orders (email, filler) SELECT i || '@example.com', repeat('x', 3500) FROM generate_series(1, 700) i;
        DELETE FROM orders WHERE id <= 40;
        VACUUM orders;
        """)
    let shop = world.orders
    try await world.run {
      // Two orders to the block: the first range is blocks 0 to 255, order 650 lies in the second.
      world.source.stop { piece in piece.range.lower != nil }
      try await world.reaches { world.source.stopped != nil }
      let read = try await world.ranges()
      #expect(read.contains { $0.lower == nil && $0.mark != nil })
      #expect(try await !world.keys().contains("650"))
      try await world.sql("UPDATE orders SET total = 77 WHERE id = 650")
      #expect(try await world.sql("SELECT (ctid::text::point)[0] < 256 FROM orders WHERE id = 650") == "t")
      world.source.release()
      try await world.reaches { try await world.order("650") != nil }
      try await world.reaches { try await world.keys().count == 660 }
      guard case .amount(let total, _)? = try await world.order("650")?.order?.total else {
        Issue.record("no total")
        return
      }
      #expect(total == "77.00")
      // With one horizon for the whole table, that of the range read last, the row would not have been read.
      let survey = try await shop.survey()
      var first = SweepRange(number: 1, upper: "256")
      first.mark = String(survey.moment.end)
      let page = try await shop.sweep(SweepPiece(range: first, isWhole: false), of: survey, screen: .everything)
      #expect(!page.orders.contains { $0.row.key.text == "650" })
    }
  }
}

extension OrderScreen {
  /// Looks at every row closely.
  static var everything: OrderScreen {
    OrderScreen(
      takesOrdersFrom: nil, oldBefore: Timestamp(microseconds: .min), coveredHorizon: nil, known: KnownKeys())
  }
}
