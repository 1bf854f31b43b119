import Conversions
import Orders
import Postgres
import TestHosts
import Testing

@Suite(.serialized) struct InspectionTests {
  private func report(_ shop: Shop) async throws -> ShopReport { try await ShopInspection(shop.mapping).report() }

  private func findings(_ report: ShopReport, _ subject: String) -> [ShopFinding] {
    report.findings.filter { $0.subject == subject }
  }

  @Test func aGoodShopIsOk() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(50) + "CREATE INDEX ON orders (created_at); ANALYZE;") {
      $0.columns.updatedAt = ["created_at"]
    }
    let report = try await report(shop)
    #expect(report.severity == .ok, "\(report.findings.filter { $0.severity != .ok })")
    #expect(abs(try #require(report.clockDifference).inSeconds) < 2)
    #expect(findings(report, "orders.columns.id").contains { $0.message == "unique, by an index" })
    #expect(findings(report, "orders.columns.total").first?.message == "total is numeric(12,2)")
    #expect(findings(report, "orders").contains { $0.message == "50 orders; 25 of them qualify" })
    #expect(findings(report, "orders.qualifying_statuses").first?.message == "seen: open 25, paid 25")
  }

  @Test func noServerIsAFailure() async throws {
    var shop = try await Shop.make(Shop.table)
    shop.mapping.connection = "host=/nonexistent dbname=x"
    let report = try await report(shop)
    #expect(report.severity == .fail)
    #expect(report.findings.map(\.subject) == ["orders.connection"])
  }

  @Test func aMappingThatDoesNotFitIsAFailure() async throws {
    let shop = try await Shop.make(Shop.table) { $0.columns.total = "totl" }
    let report = try await report(shop)
    #expect(report.severity == .fail)
    #expect(report.findings.last?.message.contains("orders.columns.total: column \"totl\" does not exist") == true)
  }

  @Test func noOrdersDeserveAWarning() async throws {
    let shop = try await Shop.make(Shop.table)
    let report = try await report(shop)
    #expect(findings(report, "orders").contains { $0.severity == .warn && $0.advice?.contains("Row-level") == true })
  }

  @Test func rowLevelSecurityIsNamed() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5) + "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;")
    let report = try await report(shop)
    #expect(findings(report, "orders.from").contains { $0.message.contains("row-level security") })
  }

  @Test func repeatedAndNullKeysAndIDsFail() async throws {
    let shop = try await Shop.make(
      """
      CREATE TABLE orders (k int, id text, status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      INSERT INTO orders VALUES (1, 'a'), (2, 'a'), (2, 'b'), (NULL, 'c'), (5, NULL);
      """
    ) { mapping in
      mapping.key = "k"
      mapping.columns = .init(id: "id", status: "status", placedAt: "created_at")
    }
    let report = try await report(shop)
    let failures = report.findings.filter { $0.severity == .fail }
    #expect(failures.map(\.subject) == ["orders.key", "orders.key", "orders.columns.id", "orders.columns.id"])
    #expect(findings(report, "orders").contains { $0.message.contains("can't be read") })
  }

  @Test func aMissingIndexIsAWarningOnALargeTableOnly() async throws {
    for (count, severity) in [(20_000, ShopFinding.Severity.warn), (50, .ok)] {
      let shop = try await Shop.make(
        Shop.table + Shop.rows(count) + "ALTER TABLE orders DROP CONSTRAINT orders_pkey; ANALYZE orders;"
      ) { $0.columns.updatedAt = ["created_at"] }
      let report = try await report(shop)
      let index = try #require(findings(report, "orders.columns.id").first { $0.message.contains("index to walk by") })
      #expect(index.severity == severity)
      #expect(findings(report, "orders.columns.updated_at").contains { $0.severity == .warn })
      #expect(findings(report, "orders.columns.id").contains { $0.message.contains("every row was looked at") })
    }
  }

  @Test func whatTakesTooLongIsNotVerified() async throws {
    let shop = try await Shop.make(
      Shop.table + Shop.rows(200) + """
        CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.01); RETURN x; END $$;
        """
    ) { $0.key = "slow(id)" }
    let report = try await ShopInspection(shop.mapping, limits: .init(statement: .milliseconds(200))).report()
    #expect(findings(report, "orders.key").contains { $0.severity == .warn && $0.message.hasPrefix("not verified") })
  }

  @Test func aMisspeltStatusIsNoticed() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(4)) { $0.qualifyingStatuses = ["Paid"] }
    let report = try await report(shop)
    let finding = try #require(findings(report, "orders.qualifying_statuses").first)
    #expect(finding.severity == .warn)
    #expect(finding.message.contains("no order seen with Paid"))
    #expect(findings(report, "orders").contains { $0.severity == .warn && $0.message.contains("0 of them qualify") })
  }

  @Test func aJoinAViewAndAnEncoding() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(4), encoding: "SQL_ASCII") { mapping in
      mapping.from = "orders o JOIN orders p USING (id)"
      mapping.columns = .init(id: "id", status: "o.status", placedAt: "o.created_at")
    }
    let report = try await report(shop)
    #expect(findings(report, "encoding").first?.severity == .warn)
    #expect(findings(report, "orders.from").first?.message.contains("a join") == true)
    try await shop.database.execute("CREATE VIEW v AS SELECT * FROM orders")
    var view = shop
    view.mapping.from = "v"
    view.mapping.columns = .init(id: "id", status: "status", placedAt: "created_at")
    let second = try await self.report(view)
    #expect(findings(second, "orders.from").first?.message.contains("a view") == true)
  }
}
