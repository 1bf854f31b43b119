import Conversions
import Orders
import TestHosts
import Testing

/// Mappings that an operator may write, and the messages about those that don't fit.
@Suite(.serialized) struct MappingTests {
  @Test func namesWithSpacesQuotesAndCapitalsAndAJoin() async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE customer (id int PRIMARY KEY, "emailAddress" text);
      CREATE TABLE "order" ("Order Id" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "we""ird" text, "customerId" int,
        "subTotal" int, shipping int, "placedAt" timestamp);
      INSERT INTO customer VALUES (1, 'A@Example.com');
      INSERT INTO "order" ("we""ird", "customerId", "subTotal", shipping, "placedAt")
        VALUES ('paid', 1, 1000, 250, '2026-07-01 10:00:00.5'), ('paid', NULL, 5, 5, '2026-07-01');
      """
    ) { mapping in
      mapping.from = "\"order\" o LEFT JOIN customer c ON c.id = o.\"customerId\" -- joined"
      mapping.condition = "o.\"subTotal\" > 0 -- or x = ')'"
      mapping.columns = .init(
        id: "o.\"Order Id\" -- the key", email: "c.\"emailAddress\"-- ", total: "o.\"subTotal\" + o.shipping",
        currency: "'EUR'", status: "o.\"we\"\"ird\"", placedAt: "o.\"placedAt\"")
      mapping.timeZone = "America/New_York"
    }
    let rows = try await shop.orders().walk()
    let order = try #require(rows.compactMap(\.order).first { $0.email != nil })
    #expect(order.email?.text == "a@example.com")
    #expect(order.total == .amount("1250", currency: "EUR"))
    #expect(order.qualifies)
    #expect(order.transactionID.text.count == 36)
    #expect(order.placedAt.earliest.description == "2026-07-01T14:00:00.500Z")
    #expect(rows.count == 2)
  }

  @Test func aViewAndAPartitionedTable() async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE parts (id int, d date, status text DEFAULT 'paid', PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
      CREATE TABLE p1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE p2 PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
      INSERT INTO parts SELECT i, date '2026-01-01' + i FROM generate_series(1, 40) i;
      CREATE VIEW orders AS SELECT id, d AS created_at, status FROM parts WHERE id > 10;
      """
    ) { mapping in
      mapping.columns = .init(id: "id", status: "status", placedAt: "created_at")
      mapping.pageSize = 7
    }
    #expect(try await shop.orders().walk().count == 30)
    var partitioned = shop
    partitioned.mapping.from = "parts"
    partitioned.mapping.columns.placedAt = "d"
    #expect(try await partitioned.orders().walk().map(\.key.text) == (1...40).map { "\($0)" })
  }

  @Test(arguments: [
    ("orders.from", "relation"), ("orders.where", "nowhere"), ("orders.key", "nokey"), ("orders.columns.id", "noid"),
    ("orders.columns.email", "nomail"), ("orders.columns.total", "nototal"), ("orders.columns.placed_at", "noplace"),
    ("orders.qualifies", "noqual"), ("reporting.metadata.x", "nometa"), ("orders.columns.updated_at", "noupdate"),
    ("orders.columns.status", "nostatus"), ("orders.columns.currency", "nocur"), ("orders.time_zone", "zone"),
    ("orders.columns.external_source_id", "noext"), ("orders.columns.customer_id", "nocust"),
  ])
  func aFailureNamesTheSetting(setting: String, word: String) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(1)) { mapping in
      switch setting {
      case "orders.from": mapping.from = "norelation"
      case "orders.where": mapping.condition = "nowhere > 1"
      case "orders.key": mapping.key = "nokey"
      case "orders.columns.id": (mapping.key, mapping.columns.id) = ("id", "noid")
      case "orders.columns.email": mapping.columns.email = "nomail"
      case "orders.columns.total": mapping.columns.total = "nototal"
      case "orders.columns.placed_at": mapping.columns.placedAt = "noplace"
      case "orders.qualifies": mapping.qualifies = "noqual"
      case "reporting.metadata.x": mapping.metadata = [.init(name: "x", expression: "nometa")]
      case "orders.columns.updated_at": mapping.columns.updatedAt = ["created_at", "noupdate"]
      case "orders.columns.status": mapping.columns.status = "nostatus"
      case "orders.columns.currency": mapping.columns.currency = "nocur"
      case "orders.columns.external_source_id": mapping.columns.externalSourceID = "noext"
      case "orders.columns.customer_id": mapping.columns.customerID = "nocust"
      default: (mapping.timeZone, mapping.columns.placedAt) = ("Mars/Zone", "created_at::timestamp")
      }
    }
    let failure = await failure { _ = try await shop.orders().walk() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.hasPrefix(setting + ":") == true, "\(failure?.message ?? "none")")
    #expect(failure?.message.contains(word) == true)
    #expect(failure?.sqlState != nil)
  }

  @Test(arguments: ["id; DROP TABLE orders", "id) FROM orders; DROP TABLE orders --", "(", "'", "/*", ""])
  func aBrokenExpressionIsAMappingFailure(sql: String) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(1)) { $0.columns.total = sql }
    let failure = await failure { _ = try await shop.orders().walk() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.hasPrefix("orders.columns.total:") == true, "\(failure?.message ?? "none")")
    #expect(try await shop.database.execute("SELECT count(*) FROM orders") == "1")
  }

  @Test(arguments: [
    ("money", "numeric(12,2)"), ("real", "numeric(12,2)"), ("double precision", "numeric(12,2)"), ("jsonb", "->>"),
    ("boolean", "numeric"),
  ])
  func aTotalThatIsNotExactIsRefused(type: String, advice: String) async throws {
    let shop = try await Shop.column(type, ["NULL"]) { $0.columns.total = "v" }
    let failure = await failure { _ = try await shop.orders().walk() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.contains("orders.columns.total is of type \(type)") == true)
    #expect(failure?.message.contains(advice) == true)
  }

  @Test(arguments: [
    ("numeric", "12.345", "12.345"), ("numeric(20,3)", "12.3", "12.300"), ("int2", "5", "5"), ("int4", "-5", "-5"),
    ("int8", "9007199254740993", "9007199254740993"), ("text", "'12.50'", "12.50"), ("varchar(9)", "'x'", "x"),
    ("numeric", "'NaN'", "NaN"), ("numeric", "1e40", "1" + String(repeating: "0", count: 40)),
    ("numeric", "'Infinity'", "Infinity"),
  ])
  func aTotalTravelsAsText(type: String, value: String, expected: String) async throws {
    let shop = try await Shop.column(type, [value]) { $0.columns.total = "v" }
    #expect(try await shop.orders().walk().first?.order?.total == .amount(expected, currency: nil))
  }

  @Test func aNullTotalIsNotAnUnmappedOne() async throws {
    let shop = try await Shop.column("numeric", ["NULL"]) { $0.columns.total = "v" }
    #expect(try await shop.orders().walk().first?.order?.total == .null)
    var unmapped = shop
    unmapped.mapping.columns.total = nil
    #expect(try await unmapped.orders().walk().first?.order?.total == .unmapped)
  }

  @Test func aConditionQualifies() async throws {
    let shop = try await Shop.column("int", ["1", "NULL", "-1"]) { mapping in
      mapping.qualifies = "v > 0 AND status = 'paid' -- paid"
      mapping.columns.status = nil
    }
    #expect(try await shop.orders().walk().map { $0.order?.qualifies } == [true, false, false])
    var text = shop
    text.mapping.qualifies = "status"
    let failure = await failure { _ = try await text.orders().walk() }
    #expect(failure?.message.hasPrefix("orders.qualifies is of type text: a condition") == true)
  }

  @Test func aStatusOfAnEnumIsComparedExactly() async throws {
    let shop = try await Shop.make(
      """
      CREATE TYPE state AS ENUM ('paid', 'Paid', 'paid ');
      CREATE TABLE orders (id int PRIMARY KEY, status state, created_at timestamptz DEFAULT now());
      INSERT INTO orders VALUES (1, 'paid'), (2, 'Paid'), (3, 'paid '), (4, NULL);
      """
    ) { $0.columns = .init(id: "id", status: "status", placedAt: "created_at") }
    #expect(try await shop.orders().walk().map { $0.order?.qualifies } == [true, false, false, false])
  }

  @Test func placedAtOfAnotherTypeSaysWhatToWrite() async throws {
    let shop = try await Shop.column("bigint", ["1790000000"]) { $0.columns.placedAt = "v" }
    let failure = await failure { _ = try await shop.orders().walk() }
    #expect(failure?.message.contains("orders.columns.placed_at is of type bigint") == true)
    #expect(failure?.message.contains("to_timestamp") == true)
  }

  @Test func severalShopsAsTheirSelectsRead() async throws {
    // README of the shops: Medusa reads its total from jsonb, in a join of joins.
    let shop = try await Shop.make(
      """
      CREATE TABLE "order" (id text PRIMARY KEY, version int, email text, currency_code text, created_at timestamptz);
      CREATE TABLE order_summary (order_id text, version int, totals jsonb);
      INSERT INTO "order" VALUES ('order_01', 1, 'x@example.com', 'eur', '2026-01-01'), ('order_02', 1, NULL, 'usd', '2026-01-02');
      INSERT INTO order_summary VALUES ('order_01', 1, '{"raw_total": {"value": "10.50"}}'), ('order_01', 2, '{}');
      """
    ) { mapping in
      mapping.from = "\"order\" o LEFT JOIN order_summary s ON s.order_id = o.id AND s.version = o.version"
      mapping.columns = .init(
        id: "o.id", email: "o.email", total: "(s.totals -> 'raw_total' ->> 'value')::numeric",
        currency: "upper(o.currency_code)", placedAt: "o.created_at")
      mapping.qualifies = "s.totals IS NOT NULL"
    }
    let rows = try await shop.orders().rowsByKey()
    #expect(rows["order_01"]?.order?.total == .amount("10.50", currency: "EUR"))
    #expect(rows["order_01"]?.order?.qualifies == true)
    #expect(rows["order_02"]?.order?.total == .null)
  }
}
