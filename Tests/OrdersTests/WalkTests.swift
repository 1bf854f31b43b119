import Conversions
import Foundation
import Orders
import TestHosts
import Testing

@Suite(.serialized) struct WalkTests {
  @Test func anOrderIsReadAsMapped() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(2)) { mapping in
      mapping.metadata = [
        .init(name: "n", expression: "id * 2"), .init(name: "none", expression: "NULL::text"),
        .init(name: "t\"x", expression: "'a\"b' || chr(10)"), .init(name: "j", expression: "'{\"a\": [1.50]}'::jsonb"),
        .init(name: "b", expression: "id > 1"),
      ]
      mapping.columns.customerID = "'c' || id"
    }
    let orders = shop.orders()
    let rows = try await orders.walk()
    #expect(rows.count == 2)
    let order = try #require(rows[1].order)
    let instant = Timestamp(microseconds: 1_790_856_000_123_456)
    #expect(
      order
        == Order(
          key: OrderKey("2"), transactionID: try #require(TransactionID("2")),
          email: EmailAddress("friend2@example.com"), externalSourceID: ExternalSourceID("lead-2"), customerID: "c2",
          total: .amount("2.50", currency: "EUR"), status: "paid", qualifies: true,
          placedAt: PlacedAt(earliest: instant, latest: instant),
          metadata: #"{"n":4,"t\"x":"a\"b\n","j":{"a": [1.50]},"b":true}"#))
    #expect(rows[0].order?.qualifies == false)
  }

  @Test(arguments: [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (7, 3), (7, 1), (7, 7), (7, 8), (7, 6)])
  func pagesMeetWithoutGapOrOverlap(count: Int, size: Int) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(count)) { $0.pageSize = size }
    let orders = shop.orders()
    var position: IntakePosition?
    for _ in 1...2 {
      var keys: [String] = []
      var pages = 0
      while true {
        let page = try await orders.page(of: .sweep, after: position)
        position = page.position
        keys += page.rows.map(\.key.text)
        pages += 1
        #expect(page.rows.count <= size)
        #expect(abs((page.readAt - SystemClock().now).inSeconds) < 5)
        if page.endsWalk { break }
      }
      #expect(keys == (0..<count).map { String($0 + 1) })
      // More only where a page was slow, and the next ones smaller; see KeyPageTests.
      #expect(pages >= max(1, (count + size - 1) / size))
    }
  }

  @Test func aRowThatComesLateIsSeenByTheNextWalk() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5)) { $0.pageSize = 2 }
    let orders = shop.orders()
    let first = try await orders.page(of: .sweep, after: nil)
    try await shop.database.execute(
      "INSERT INTO orders (id, status) VALUES (0, 'paid'); DELETE FROM orders WHERE id = 4")
    var keys = first.rows.map(\.key.text)
    var position = first.position
    for _ in 0..<6 {
      let page = try await orders.page(of: .sweep, after: position)
      keys += page.rows.map(\.key.text)
      position = page.position
      if keys.contains("0") { break }
    }
    #expect(keys.prefix(4) == ["1", "2", "3", "5"])
    #expect(keys.contains("0"))
  }

  @Test(arguments: [
    "", "{", "null", "{\"v\":2,\"walk\":1,\"mapping\":\"x\"}", "\u{0}", "42", "{\"v\":1,\"walk\":-9,\"mapping\":\"\"}",
  ])
  func aForeignPositionStartsANewWalk(text: String) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3)) { $0.pageSize = 2 }
    let page = try await shop.orders().page(of: .sweep, after: IntakePosition(text))
    #expect(page.rows.map(\.key.text) == ["1", "2"])
  }

  @Test func aPositionOfAnotherMappingStartsANewWalk() async throws {
    var shop = try await Shop.make(Shop.table + Shop.rows(5)) { $0.pageSize = 2 }
    let page = try await shop.orders().page(of: .sweep, after: nil)
    shop.mapping.key = "email"
    let other = try await shop.orders().page(of: .sweep, after: page.position)
    #expect(other.rows.map(\.key.text) == ["friend1@example.com", "friend2@example.com"])
  }

  @Test func theFastLaneIsEmpty() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3))
    let page = try await shop.orders().page(of: .fast, after: nil)
    #expect(page.rows.isEmpty && page.endsWalk)
  }

  @Test func rereadsFindWhatIsStillAnOrder() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5)) { mapping in
      mapping.condition = "id <> 3 -- not the third"
      mapping.pageSize = 2
    }
    let keys = ["1", "2", "3", "4", "99", "nonsense", "", "1; DROP TABLE orders", "\u{0}", "{1}"].map { OrderKey($0) }
    let rows = try await shop.orders().orders(withKeys: keys)
    #expect(Set(rows.keys.map(\.text)) == ["1", "2", "4"])
    #expect(rows[OrderKey("2")]?.order?.qualifies == true)
    #expect(try await shop.orders().orders(withKeys: []).isEmpty)
  }

  @Test(arguments: [
    ("text", ["'a'", "'B'", "'ä'", "'😀'", "E'a\\r\\nb'", "'{x,\"y\"}'", "''", "' '"]),
    ("varchar(40)", ["'x'", "'y'"]), ("char(5)", ["'ab'", "'cd'"]),
    ("uuid", ["gen_random_uuid()", "gen_random_uuid()"]),
    ("smallint", ["-5", "7"]), ("integer", ["1", "2"]), ("bigint", ["9223372036854775807", "-1"]),
    ("numeric", ["1.50", "1e30", "'NaN'"]), ("date", ["'2026-01-02'", "'2025-01-01'"]),
    ("timestamptz", ["'2026-01-02 03:04:05.678901+02'", "'2026-01-02'"]), ("bytea", ["'\\x00ff'", "'\\x'"]),
    ("mood", ["'sad'", "'happy'"]), ("oid", ["4294967295", "1"]), ("double precision", ["0.1", "1e-300"]),
    ("inet", ["'10.0.0.1'", "'::1'"]),
  ])
  func keysOfEachType(type: String, values: [String]) async throws {
    let rows = values.map { "(\($0), 'paid')" }.joined(separator: ", ")
    let shop = try await Shop.make(
      """
      CREATE TYPE mood AS ENUM ('sad', 'happy');
      CREATE TABLE orders (k \(type) PRIMARY KEY, status text, created_at timestamptz DEFAULT now());
      INSERT INTO orders VALUES \(rows);
      """
    ) { mapping in
      mapping.key = "k"
      mapping.columns = .init(id: "'order'", status: "status", placedAt: "created_at")
      mapping.pageSize = 1
    }
    let walked = try await shop.orders().walk()
    let expected = try await shop.database.execute("SELECT count(*) FROM orders")
    #expect("\(Set(walked.map(\.key)).count)" == expected)
    let again = try await shop.orders().orders(withKeys: walked.map(\.key))
    #expect(Set(again.keys) == Set(walked.map(\.key)))
    #expect(again.values.allSatisfy { $0.order != nil })
  }

  @Test func aKeyWithoutAnOrderIsAMappingFailure() async throws {
    let shop = try await Shop.column("json", ["'{}'"]) { $0.key = "v" }
    let failure = await failure { _ = try await shop.orders().walk() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.contains("orders.key") == true)
  }

  @Test func keysThatAreEqualInOtherLettersAreAllSeen() async throws {
    let shop = try await Shop.make(
      """
      CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE orders (k text COLLATE nocase, status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      INSERT INTO orders (k) VALUES ('a'), ('A'), ('b'), ('B'), ('c');
      """
    ) { mapping in
      mapping.key = "k"
      mapping.columns = .init(id: "k", status: "status", placedAt: "created_at")
      mapping.pageSize = 3
    }
    let rows = try await shop.orders().walk()
    #expect(Set(rows.map(\.key.text)) == ["a", "A", "b", "B", "c"])
    #expect(rows.allSatisfy { $0.order != nil })
  }

  @Test func aHundredThousandRowsInConstantMemory() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(100_000) + "ANALYZE orders;") { $0.pageSize = 1000 }
    let orders = shop.orders()
    var (count, position): (Int, IntakePosition?) = (0, nil)
    let start = ContinuousClock.now
    let before = residentKilobytes()
    while true {
      let page = try await orders.page(of: .sweep, after: position)
      (count, position) = (count + page.rows.count, page.position)
      if page.endsWalk { break }
    }
    #expect(count == 100_000)
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(residentKilobytes() - before < 150_000)
  }

  private func residentKilobytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}
