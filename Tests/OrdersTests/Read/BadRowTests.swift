import Conversions
import Orders
import TestHosts
import Testing

/// One bad row never stops the others.
@Suite(.serialized) struct BadRowTests {
  @Test(arguments: [1, 2, 7, 20, 500])
  func aCastThatFailsIsThatRowsAlone(pageSize: Int) async throws {
    let values = (1...20).map { [1, 9, 20].contains($0) ? "'secret\($0)'" : "'\($0)'" }
    let shop = try await Shop.column("text", values) { mapping in
      mapping.columns.total = "v::numeric"
      mapping.pageSize = pageSize
    }
    let orders = shop.orders()
    let rows = try await orders.walk()
    #expect(rows.map(\.key.text) == (1...20).map { "\($0)" })
    #expect(rows.compactMap(\.fault).map(\.key.text) == ["1", "9", "20"])
    let fault = try #require(rows[8].fault)
    #expect(fault.transactionID == "9")
    #expect(fault.detail == "orders.columns.total: invalid input syntax for type numeric (SQLSTATE 22P02)")
    let again = try await orders.rows(withKeys: rows.map(\.key))
    #expect(again[OrderKey("9")] == rows[8])
    #expect(again.count == 20)
  }

  @Test func everyRowMayBeBad() async throws {
    let shop = try await Shop.column("text", (1...40).map { _ in "'x'" }) { $0.columns.total = "v::numeric" }
    #expect(try await shop.orders().walk().compactMap(\.fault).count == 40)
  }

  @Test func aConditionThatFailsForARow() async throws {
    let shop = try await Shop.column("text", ["'1'", "'x'", "'3'", "'-1'"]) { $0.condition = "v::int > 0" }
    let rows = try await shop.orders().walk()
    #expect(rows.map(\.key.text) == ["1", "2", "3"])
    #expect(rows.map { $0.order != nil } == [true, false, true])
    #expect(rows[1].fault?.detail.hasPrefix("orders.where: invalid input syntax for type integer") == true)
    #expect(rows[1].fault?.transactionID == "2")
  }

  @Test func aConditionThatFailsForAnotherTablesRow() async throws {
    // Table p is scanned with its condition before it meets any order, so that each statement fails for p's row 2.
    let shop = try await Shop.make(
      Shop.table + Shop.rows(3) + """
        CREATE TABLE p (o bigint, v text);
        INSERT INTO p VALUES (1, '1'), (2, 'x'), (3, '3');
        """
    ) { mapping in
      mapping.from = "orders o JOIN p ON p.o = o.id"
      mapping.condition = "p.v::int > 0"
    }
    let rows = try await shop.orders().walk()
    #expect(rows.map { $0.order != nil } == [true, false, true])
    #expect(rows.map(\.key.text) == ["1", "2", "3"])
  }

  @Test func anExceptionOfTheShopsOwnShowsNoValue() async throws {
    let shop = try await Shop.column("text", ["'ok'", "'jane@example.com'"]) { mapping in
      mapping.columns.email = "boom(v)"
    }
    try await shop.database.execute(
      """
      CREATE FUNCTION boom(x text) RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN IF x LIKE '%@%' THEN RAISE 'no % here', x; END IF; RETURN x; END $$
      """)
    let fault = try #require(try await shop.orders().walk().last?.fault)
    #expect(!fault.detail.contains("jane"))
    #expect(fault.detail.hasPrefix("orders.columns.email:"))
  }

  @Test(arguments: [
    ("NULL", "NULL"), ("''", "empty"), ("repeat('x', 4096)", "4096 bytes"), ("E'a\\r\\nb'", "control"),
    ("repeat('😀', 64)", "256 bytes"),
  ])
  func anIDThatCannotBeSent(value: String, word: String) async throws {
    let shop = try await Shop.column("text", ["'a'", value, "'../../admin'", "'😀'"]) { mapping in
      (mapping.key, mapping.columns.id) = ("id", "v")
    }
    let rows = try await shop.orders().walk()
    #expect(rows.map { $0.order?.transactionID.text } == ["a", nil, "../../admin", "😀"])
    #expect(rows[1].fault?.detail.contains(word) == true)
    #expect(rows[1].fault?.reason == .unreadable)
  }

  @Test func nullAndGarbageAddresses() async throws {
    let shop = try await Shop.column("text", ["NULL", "''", "'none'", "E'a\\nb@c'", "' J@Example.DE '"]) {
      $0.columns.email = "v"
    }
    let rows = try await shop.orders().walk()
    #expect(rows.allSatisfy { $0.order != nil })
    #expect(rows.map { $0.order?.email?.text } == [nil, nil, nil, nil, "j@example.de"])
  }

  @Test func metadataOverTheLimit() async throws {
    let shop = try await Shop.column("int", ["4087", "4088", "5000"]) {
      $0.metadata = [.init(name: "a", expression: "repeat('x', v)")]
    }
    let rows = try await shop.orders().walk()
    #expect(rows[0].order?.metadata?.utf8.count == 4095)
    #expect(rows[1].order?.metadata?.utf8.count == 4096)
    #expect(rows[2].fault?.reason == .metadataTooLarge)
    #expect(rows[2].fault?.transactionID == "3")
  }

  @Test func rowsWithoutAKeyAreWarnedOf() async throws {
    let shop = try await Shop.column("int", ["5", "NULL", "6"]) { $0.key = "v" }
    var sweeping = try await Sweeping(shop.orders())
    #expect(sweeping.survey.method == .hashes)
    #expect(try await sweeping.keys(whole: true) == ["5", "6"])
    #expect(sweeping.warnings.contains { $0.contains("rows without a key") })
    // For as long as it lasts, and not only where something else changed.
    #expect(try await sweeping.keys() == [])
    #expect(sweeping.warnings.contains { $0.contains("rows without a key") })
    try await shop.database.execute("DELETE FROM orders WHERE v IS NULL")
    _ = try await sweeping.keys()
    #expect(sweeping.warnings.isEmpty)
  }

  @Test func rowsWithoutAKeyAmongBlocksAreWarnedOf() async throws {
    let shop = try await Shop.column("int UNIQUE", ["5", "NULL", "6"]) { $0.key = "v" }
    var sweeping = try await Sweeping(shop.orders())
    #expect(sweeping.survey.method == .versions)
    #expect(try await sweeping.keys(whole: true) == ["5", "6"])
    #expect(sweeping.warnings.contains { $0.contains("rows without a key") })
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
    #expect(sweeping.warnings.contains { $0.contains("rows without a key") })
    try await shop.database.execute("DELETE FROM orders WHERE v IS NULL")
    _ = try await sweeping.keys(whole: true)
    #expect(sweeping.warnings.isEmpty)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7])
  func aJoinThatDoublesRows(pageSize: Int) async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE o (id int PRIMARY KEY, status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      CREATE TABLE channel (o int, c int);
      INSERT INTO o (id) SELECT generate_series(1, 5);
      INSERT INTO channel VALUES (1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (4, 3), (5, 1);
      """
    ) { mapping in
      mapping.from = "o JOIN channel c ON c.o = o.id"
      mapping.columns = .init(id: "o.id", status: "o.status", placedAt: "o.created_at")
      mapping.pageSize = pageSize
    }
    let orders = shop.orders()
    let rows = try await orders.walk()
    #expect(rows.map(\.key.text) == ["1", "2", "3", "4", "5"])
    #expect(rows.map { $0.fault?.reason } == [nil, .idRepeated, nil, .idRepeated, nil])
    let again = try await orders.rows(withKeys: rows.map(\.key))
    #expect(again.mapValues { $0.fault?.reason }[OrderKey("2")] == .idRepeated)
    #expect(again[OrderKey("2")]?.fault?.digest == rows[1].fault?.digest)
    #expect(again[OrderKey("3")]?.order != nil)
  }

  @Test func oneKeyWithThousandsOfRows() async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE orders (id int, status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      INSERT INTO orders (id) SELECT 7 FROM generate_series(1, 5000);
      INSERT INTO orders (id) VALUES (6), (8);
      """
    ) { mapping in
      mapping.columns = .init(id: "id", status: "status", placedAt: "created_at")
      mapping.pageSize = 10
    }
    let rows = try await shop.orders().walk()
    #expect(rows.map(\.key.text) == ["6", "7", "8"])
    #expect(rows.map { $0.fault?.reason } == [nil, .idRepeated, nil])
    let again = try await shop.orders().rows(withKeys: ["6", "7", "8"].map { OrderKey($0) })
    #expect(again[OrderKey("7")]?.fault?.reason == .idRepeated)
    #expect(again[OrderKey("8")]?.order != nil)
  }

  @Test func latin1IsReadAsUTF8() async throws {
    let shop = try await Shop.column(
      "text", ["'müller@example.com'", "chr(233) || '@example.com'"], encoding: "LATIN1"
    ) {
      $0.columns.email = "v"
    }
    #expect(
      try await shop.orders().walk().map { $0.order?.email?.text } == ["müller@example.com", "é@example.com"])
  }

  @Test func invalidBytesInSQLASCIIAreThatRowsAlone() async throws {
    let bad = "convert_from('\\xff41'::bytea, 'SQL_ASCII')"
    let good = "convert_from('\\xc3a9'::bytea, 'SQL_ASCII')"
    let shop = try await Shop.column("text", ["'plain'", bad, good], encoding: "SQL_ASCII") { mapping in
      mapping.columns.email = "v || '@example.com'"
    }
    let rows = try await shop.orders().walk()
    #expect(rows.map { $0.order?.email?.text } == ["plain@example.com", nil, "é@example.com"])
    #expect(rows[1].fault?.detail.contains("orders.columns.email") == true)
    #expect(rows[1].fault?.detail.contains("22021") == true)
    // Even as a key.
    var keyed = shop
    keyed.mapping.key = "v"
    let orders = keyed.orders()
    let walked = try await orders.walk()
    #expect(walked.count == 3)
    #expect(walked.compactMap(\.order).count == 2)
    #expect(try await orders.rows(withKeys: walked.map(\.key)).count == 3)
  }
}
