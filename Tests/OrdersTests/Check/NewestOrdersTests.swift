import Conversions
import Orders
import Postgres
import TestHosts
import Testing

/// Values of the newest orders that would be silent: addresses that are none, and times of another zone.
@Suite(.serialized) struct NewestOrdersTests {
  private func findings(_ shop: Shop, _ subject: String) async throws -> [ShopFinding] {
    try await ShopInspection(shop.mapping).report().findings.filter { $0.subject == subject }
  }

  private func emails(_ values: [String]) async throws -> ShopFinding {
    let shop = try await Shop.column("text", values) { $0.columns.email = "v" }
    return try #require(try await findings(shop, "orders.columns.email").last)
  }

  @Test(arguments: [
    (["'Ana <ana@example.com>'", "'bob@example.com'"], "1 with a name around the address", "'<([^<>]+)>'"),
    (["'a@example.com, b@example.com'", "'bob@example.com'"], "1 of several addresses", "split_part("),
    (["'gAAAAABmX1Zk'", "'gAAAAABmX2Zk'"], "2 without an @", "match by external_source_id"),
    (["'ana@example.com,'", "'bob@example.com'"], "1 with marks around the address", "btrim(replace(lower(v)"),
    (["''", "'  '", "'bob@example.com'"], "2 blank", "nullif(btrim(v), '')"),
  ])
  func valuesThatAreNoAddressesAreCountedWithAnExample(values: [String], words: String, advice: String) async throws {
    let finding = try await emails(values)
    #expect(finding.severity == .warn)
    #expect(finding.message.contains("of the newest \(values.count) values are no addresses"))
    #expect(finding.message.contains(words), "\(finding.message)")
    #expect(finding.advice?.contains(advice) == true, "\(finding.advice ?? "-")")
    #expect(!finding.message.contains("example.com"), "masked")
  }

  @Test func theAdviceForMarksAroundAnAddressTakesThemAway() async throws {
    let values = [
      "'Ana@example.com,'", "'bob@example.com;'", "'mailto:c@example.com'", "$$'d@example.com'$$", "'e@example.com>'",
      "'(f@example.com)'", #"'"g@example.com"'"#,
    ]
    let finding = try await emails(values)
    #expect(finding.message.contains("7 with marks around the address"), "\(finding.message)")
    let sql = try #require(finding.advice?.split(separator: "write email: ").last.map(String.init))
    let shop = try await Shop.column("text", values) { $0.columns.email = sql }
    #expect(try await findings(shop, "orders.columns.email").last?.severity == .ok)
    #expect(try await shop.orders().rowsByKey()["1"]?.order?.email?.text == "ana@example.com")
  }

  @Test func addressesAreOkAndNoneAtAllIsNot() async throws {
    #expect(try await emails(["'ana@example.com'", "NULL"]).severity == .ok)
    #expect(try await emails(["NULL", "NULL"]).severity == .warn)
    let one = try await emails((1...40).map { $0 == 7 ? "'nobody'" : "'a\($0)@example.com'" })
    #expect(one.severity == .ok && one.message.contains("1 of the newest 40"))
  }

  /// Orders every five minutes up to now, as clocks of a zone show it.
  private func shop(_ type: String, zone: String, readIn timeZone: String) async throws -> Shop {
    try await Shop.make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, status text DEFAULT 'paid', placed \(type));
      INSERT INTO orders SELECT i, 'paid', (now() - i * interval '5 minutes') AT TIME ZONE '\(zone)'
        FROM generate_series(0, 99) i;
      """
    ) { mapping in
      mapping.columns = .init(id: "id", status: "status", placedAt: "placed")
      mapping.timeZone = timeZone
    }
  }

  @Test(arguments: [
    ("Asia/Tokyo", "UTC", "in the future, by up to 9 h", "Asia/Tokyo"),
    ("Asia/Kolkata", "UTC", "in the future, by up to 5 h 30 min", "Asia/Kolkata"),
    ("UTC", "Asia/Dubai", "is 4 h old", "UTC"), ("Asia/Dubai", "Asia/Tokyo", "is 5 h old", "Asia/Dubai"),
  ])
  func anotherZoneIsNoticedAndNamed(zone: String, read: String, words: String, advice: String) async throws {
    let shop = try await shop("timestamp", zone: zone, readIn: read)
    let finding = try #require(try await findings(shop, "orders.time_zone").last)
    #expect(finding.severity == .warn && finding.message.contains(words), "\(finding.message)")
    // A server may call it by another name, such as Etc/UTC.
    #expect(finding.advice?.contains(#/time_zone: (Etc/)?/#) == true)
    #expect(finding.advice?.contains(advice) == true, "\(finding.advice ?? "-")")
  }

  @Test func theRightZoneAndTimesWithAZoneAreNotDoubted() async throws {
    let right = try await shop("timestamp", zone: "Asia/Tokyo", readIn: "Asia/Tokyo")
    #expect(try await findings(right, "orders.time_zone").allSatisfy { $0.severity == .ok })
    let zoned = try await shop("timestamptz", zone: "UTC", readIn: "UTC")
    #expect(try await findings(zoned, "orders.time_zone").isEmpty)
    #expect(try await findings(zoned, "orders.columns.placed_at").allSatisfy { $0.severity == .ok })
  }

  @Test func localTimeInAColumnWithAZoneIsNoticedAndTheAdviceMendsIt() async throws {
    var shop = try await shop("timestamptz", zone: "Asia/Tokyo", readIn: "UTC")
    let finding = try #require(try await findings(shop, "orders.columns.placed_at").last)
    #expect(finding.severity == .warn && finding.message.contains("in the future, by up to 9 h"), "\(finding.message)")
    let sql = try #require(finding.advice?.firstMatch(of: /placed_at: (.*'), or whatever/)?.output.1)
    shop.mapping.columns.placedAt = String(sql)
    #expect(try await findings(shop, "orders.columns.placed_at").allSatisfy { $0.severity == .ok }, "\(sql)")
  }

  @Test func aRoleOfOneConnectionIsTold() async throws {
    var shop = try await Shop.make(Shop.table + Shop.rows(2), hasOwnDatabase: true)
    try await shop.database.execute(
      """
      DO $$ BEGIN CREATE ROLE single LOGIN CONNECTION LIMIT 1; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT SELECT ON orders TO single;
      """)
    shop.mapping.connection += " user=single"
    let found = try await findings(shop, "orders.connection")
    #expect(found.contains { $0.severity == .warn && $0.message.contains("CONNECTION LIMIT is 1") }, "\(found)")
    #expect(found.contains { $0.advice == "ALTER ROLE single CONNECTION LIMIT 3" })
  }
}
