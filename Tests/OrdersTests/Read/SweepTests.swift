import Conversions
import Foundation
import Orders
import TestHosts
import Testing

@Suite(.serialized) struct SweepTests {
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

  @Test(arguments: [0, 1, 2, 1999, 2000, 2001, 2999, 3000, 3001, 4001, 7000])
  func rangesOfKeysMeetWithoutGapOrOverlap(count: Int) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(count) + "CREATE VIEW v AS SELECT * FROM orders;") {
      $0.from = "v"
    }
    var sweeping = try await Sweeping(shop.orders())
    #expect(sweeping.survey.method == .hashes)
    let all = (0..<count).map { String($0 + 1) }
    #expect(try await sweeping.keys(whole: true) == all)
    #expect(abs((sweeping.survey.moment.readAt - SystemClock().now).inSeconds) < 60)
    // More where a page was slow, and the next ones smaller.
    #expect(sweeping.ranges.count >= max(1, (count + 999) / 2000))
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
    #expect(try await sweeping.keys(whole: true) == all)
  }

  @Test(arguments: [0, 1, 500, 7000])
  func rangesOfBlocksMeetWithoutGapOrOverlap(count: Int) async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, filler text DEFAULT repeat('x', 1500), status text DEFAULT 'paid',
        created_at timestamptz DEFAULT now());
      INSERT INTO orders (id) SELECT generate_series(1, \(count));
      """
    ) { $0.columns = .init(id: "id", status: "status", placedAt: "created_at") }
    var sweeping = try await Sweeping(shop.orders())
    #expect(sweeping.survey.method == .versions)
    let all = (0..<count).map { String($0 + 1) }
    #expect(try await sweeping.keys(whole: true) == all)
    // Five rows to the block, 256 blocks to the range.
    #expect(sweeping.ranges.count == max(1, (count / 5 + 255) / 256))
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
    #expect(try await sweeping.keys(whole: true) == all)
  }

  @Test(arguments: ["orders", "v"])
  func aSecondSweepBringsWhatChanged(from: String) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5) + "CREATE VIEW v AS SELECT * FROM orders;") {
      $0.from = from
    }
    var sweeping = try await Sweeping(shop.orders())
    #expect(try await sweeping.keys(whole: true).count == 5)
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
    try await shop.database.execute(
      "INSERT INTO orders (id, status) VALUES (0, 'paid'); DELETE FROM orders WHERE id = 4")
    let changed = try await sweeping.keys()
    // By row versions the new one alone; a hash tells of a range only.
    #expect(changed == (from == "orders" ? ["0"] : ["0", "1", "2", "3", "5"]))
    let isCalmAgain = try await sweeping.reachesCalm()
    #expect(isCalmAgain)
  }

  @Test(arguments: ["", "{", "null", "\u{0}", "-1", "99999999999999999999"])
  func aForeignMarkReadsEverything(text: String) async throws {
    for from in ["orders", "v"] {
      let shop = try await Shop.make(Shop.table + Shop.rows(3) + "CREATE VIEW v AS SELECT * FROM orders;") {
        $0.from = from
      }
      let orders = shop.orders()
      let survey = try await orders.survey()
      let piece = SweepPiece(range: SweepRange(number: 1, mark: text), isWhole: false)
      let page = try await orders.sweep(piece, of: survey, screen: .everything)
      #expect(page.orders.count == 3)
      #expect(page.isWhole || from == "orders")
    }
  }

  @Test func anotherMappingIsAnotherIdentity() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5))
    let identity = try await shop.orders().survey().identity
    #expect(try await shop.orders().survey().identity == identity)
    let changes: [@Sendable (inout OrderMapping) -> Void] = [
      { $0.key = "lead" }, { $0.condition = "true" }, { $0.qualifyingStatuses = ["open"] },
      { $0.columns.email = "lower(email)" }, { $0.columns.total = nil }, { $0.timeZone = "Europe/Berlin" },
      { $0.metadata = [.init(name: "a", expression: "id")] }, { $0.qualifies = "true" }, { $0.from = "orders o" },
    ]
    for change in changes {
      var other = shop
      change(&other.mapping)
      #expect(try await other.orders().survey().identity != identity)
    }
    // Expects the same identity with another page size.
    var smaller = shop
    smaller.mapping.pageSize = 7
    #expect(try await smaller.orders().survey().identity == identity)
  }

  @Test func recentChangesAreReadOnceByVersions() async throws {
    let shop = try await Shop.make(
      Shop.table + Shop.rows(3) + "UPDATE orders SET created_at = now() - interval '1 day'; "
    ) {
      $0.columns.updatedAt = ["created_at"]
    }
    let orders = shop.orders()
    let survey = try await orders.survey()
    #expect(survey.hasRecent)
    var page = try await orders.recent(after: nil, of: survey, screen: .everything)
    #expect(page.orders.isEmpty && !page.isCut)
    try await shop.database.execute("UPDATE orders SET created_at = now() WHERE id = 2")
    page = try await orders.recent(after: page.position, of: survey, screen: .everything)
    #expect(page.orders.map(\.row.key.text) == ["2"])
    // Transactions that other tests have open on the same server hold the position back, and it is read once more.
    let isReadNoMore = try await eventually(within: .seconds(20)) {
      page = try await orders.recent(after: page.position, of: survey, screen: .everything)
      return page.orders.isEmpty
    }
    #expect(isReadNoMore)
  }

  @Test(arguments: ["timestamp", "date", "timestamptz"])
  func recentChangesOfEachType(type: String) async throws {
    for from in ["orders", "v"] {
      let shop = try await Shop.make(
        """
        CREATE TABLE orders (id int PRIMARY KEY, status text DEFAULT 'paid', created_at timestamptz DEFAULT now(),
          changed \(type));
        INSERT INTO orders (id, changed) VALUES (1, '2020-01-01'), (2, now() AT TIME ZONE 'Pacific/Auckland'), (3, NULL);
        UPDATE orders SET changed = now() WHERE id = 2 AND '\(type)' = 'timestamptz';
        CREATE VIEW v AS SELECT * FROM orders;
        """
      ) { mapping in
        mapping.from = from
        mapping.columns = .init(id: "id", status: "status", placedAt: "created_at", updatedAt: ["changed"])
        mapping.timeZone = "Pacific/Auckland"
      }
      let orders = shop.orders()
      let page = try await orders.recent(after: nil, of: try await orders.survey(), screen: .everything)
      #expect(page.orders.map(\.row.key.text) == ["2"])
    }
  }

  @Test func rereadsFindWhatIsStillAnOrder() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5)) { mapping in
      mapping.condition = "id <> 3 -- not the third"
      mapping.pageSize = 2
    }
    let keys = ["1", "2", "3", "4", "99", "nonsense", "", "1; DROP TABLE orders", "\u{0}", "{1}"].map { OrderKey($0) }
    let rows = try await shop.orders().rows(withKeys: keys)
    #expect(Set(rows.keys.map(\.text)) == ["1", "2", "4"])
    #expect(rows[OrderKey("2")]?.order?.qualifies == true)
    #expect(try await shop.orders().rows(withKeys: []).isEmpty)
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
    let again = try await shop.orders().rows(withKeys: walked.map(\.key))
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

  @Test(arguments: ["orders", "v"])
  func aHundredThousandRowsInConstantMemory(from: String) async throws {
    let shop = try await Shop.make(
      Shop.table + Shop.rows(100_000) + "CREATE VIEW v AS SELECT * FROM orders; ANALYZE orders;"
    ) { $0.from = from }
    let orders = shop.orders()
    let survey = try await orders.survey()
    var ranges = [SweepRange(number: 1)]
    var (count, index) = (0, 0)
    let start = ContinuousClock.now
    let before = residentKilobytes()
    var from: String?
    while index < ranges.count {
      let page = try await orders.sweep(
        SweepPiece(range: ranges[index], from: from, isWhole: true), of: survey, screen: .everything)
      count += page.orders.count
      #expect(page.cost < .seconds(5))
      if let split = page.split {
        ranges[index].upper = split.at
        ranges.append(SweepRange(number: Int64(ranges.count + 1), lower: split.at))
      }
      from = page.next
      if from == nil { index += 1 }
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
