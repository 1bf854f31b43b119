import Conversions
import Orders
import Postgres
import TestHosts
import Testing

/// A mapping over a database, and whether it can be worked with.
struct MappingCase: Sendable, CustomTestStringConvertible {
  var name: String
  var sql: String
  var works: Bool
  var change: @Sendable (inout OrderMapping) -> Void

  init(
    _ name: String, works: Bool, _ sql: String, _ change: @escaping @Sendable (inout OrderMapping) -> Void = { _ in }
  ) {
    (self.name, self.sql, self.works, self.change) = (name, sql, works, change)
  }

  var testDescription: String { name }

  /// A table with a key of a type, whose values are 1, 2, 3 by an expression over `i`.
  static func key(_ type: String, _ value: String, works: Bool, more: String = "") -> MappingCase {
    MappingCase(
      "key \(type)", works: works,
      """
      \(more) CREATE TABLE orders (id \(type) UNIQUE, status text DEFAULT 'paid', created_at timestamptz DEFAULT now());
      INSERT INTO orders SELECT \(value) FROM generate_series(1, 3) i;
      """
    ) {
      $0.columns = .init(id: "'o' || (id::text)", status: "status", placedAt: "created_at"); $0.key = "id"
    }
  }

  /// The usual table, with one part of the mapping changed.
  static func over(
    _ name: String, works: Bool, more: String = "", _ change: @escaping @Sendable (inout OrderMapping) -> Void
  ) -> MappingCase {
    MappingCase(name, works: works, Shop.table + Shop.rows(4) + more, change)
  }

  /// A table with a column `v` of a type.
  static func column(
    _ type: String, _ value: String, works: Bool, _ change: @escaping @Sendable (inout OrderMapping) -> Void
  ) -> MappingCase {
    MappingCase(
      "v \(type)", works: works,
      """
      CREATE TABLE orders (id int PRIMARY KEY, v \(type), created_at timestamptz DEFAULT now(), status text DEFAULT 'paid');
      INSERT INTO orders VALUES (1, \(value)), (2, \(value));
      """
    ) {
      $0.columns = .init(id: "id", status: "status", placedAt: "created_at")
      change(&$0)
    }
  }
}

extension MappingCase {
  static let keys: [MappingCase] = [
    .key("smallint", "i", works: true), .key("bigint", "i", works: true), .key("numeric(20,5)", "i", works: true),
    .key("text", "'a' || i", works: true), .key("varchar(9)", "'a' || i", works: true),
    .key("char(4)", "i", works: true),
    .key("uuid", "md5(i::text)::uuid", works: true), .key("date", "current_date + i", works: true),
    .key("timestamptz", "now() + i * interval '1 s'", works: true), .key("inet", "('10.0.0.' || i)::inet", works: true),
    .key("size", "(ARRAY['s','m','l'])[i]::size", works: true, more: "CREATE TYPE size AS ENUM ('s', 'm', 'l');"),
    .key("code", "i", works: true, more: "CREATE DOMAIN code AS int CHECK (VALUE > 0);"),
    .key("jsonb", "to_jsonb(i)", works: true), .key("int[]", "ARRAY[i]", works: false),
    .key("pair", "ROW(i, i)::pair", works: false, more: "CREATE TYPE pair AS (a int, b int);"),
    .over("a composite key", works: false) { $0.key = "(id, status)" },
    .over("a row", works: false) { $0.key = "orders" },
    .over("a key of json", works: false) { $0.key = "to_json(id)" },
    .over("a key of points", works: false) { $0.key = "point(id, id)" },
    .over("a window as the key", works: false) { $0.key = "row_number() OVER ()" },
    .over("a set as the key", works: false) { $0.key = "generate_series(1, 2)" },
    .over("an aggregate as the key", works: false) { $0.key = "max(id)" },
    .over("another key each time", works: false) { $0.key = "gen_random_uuid()" },
    .over("an expression as the key", works: true) { $0.key = "lpad(id::text, 9, '0')" },
    .over("NULL keys", works: false) { $0.key = "nullif(id, 2)" },
    .over("a repeated key", works: false) { $0.key = "status" },
    .over("repeated IDs", works: false) { ($0.key, $0.columns.id) = ("id", "status") },
    .over("NULL IDs", works: false, more: "UPDATE orders SET status = 'paid';") {
      ($0.key, $0.columns.id) = ("id", "nullif(id, 1)::text")
    },
    .over("NULL IDs of what does not qualify", works: true, more: "UPDATE orders SET status = 'cart' WHERE id = 3;") {
      ($0.key, $0.columns.id) = ("id", "nullif(id, 3)::text")
    },
    .over("the same columns as text", works: true) { $0.key = "id || '-' || status" },
  ]

  static let columns: [MappingCase] = [
    .column("int", "5", works: true) { ($0.columns.total, $0.totalUnit) = ("v", nil) },
    .column("numeric(12,0)", "5", works: true) { ($0.columns.total, $0.totalUnit) = ("v", nil) },
    .column("numeric(12,2)", "5", works: false) { ($0.columns.total, $0.totalUnit) = ("v", nil) },
    .column("text", "'5.00'", works: false) { ($0.columns.total, $0.totalUnit) = ("v", nil) },
    .column("text", "'5.00'", works: true) { ($0.columns.total, $0.totalUnit) = ("v", .major) },
    .column("real", "5", works: false) { ($0.columns.total, $0.totalUnit) = ("v", .major) },
    .column("money", "5", works: false) { ($0.columns.total, $0.totalUnit) = ("v", .cents) },
    .column("jsonb", "'5'", works: false) { ($0.columns.total, $0.totalUnit) = ("v", .cents) },
    .column("jsonb", #"'{"e": "a"}'"#, works: false) { $0.columns.email = "v -> 'e'" },
    .column("jsonb", #"'{"e": "a"}'"#, works: true) { $0.columns.email = "v ->> 'e'" },
    .column("json", #"'{"e": "a"}'"#, works: false) { $0.columns.externalSourceID = "v #> '{e}'" },
    .column("jsonb", #"'"a"'"#, works: false) { $0.columns.customerID = "v" },
    .column("json", #"'"paid"'"#, works: false) { $0.columns.status = "v" },
    .column("jsonb", #"'"a"'"#, works: false) { ($0.key, $0.columns.id) = ("id", "v") },
    .column("boolean", "true", works: true) { $0.qualifies = "v" },
    .column("int", "1", works: false) { $0.qualifies = "v" },
    .column("date", "current_date", works: true) { $0.columns.placedAt = "v" },
    .column("timestamp(0)", "now()", works: true) { $0.columns.placedAt = "v" },
    .column("bigint", "1765000000", works: false) { $0.columns.placedAt = "v" },
    .column("bigint", "1765000000", works: true) { $0.columns.placedAt = "to_timestamp(v)" },
    .column("text", "'2026-01-01'", works: false) { $0.columns.placedAt = "v" },
    .column("time", "'10:00'", works: false) { $0.columns.placedAt = "v" },
    .column("timestamp", "now()", works: false) { ($0.columns.placedAt, $0.timeZone) = ("v", "Europe/Atlantis") },
    .column("timestamp", "now()", works: true) { ($0.columns.placedAt, $0.timeZone) = ("v", "Europe/Berlin") },
    .column("timestamptz", "now()", works: true) { $0.columns.updatedAt = ["v"] },
    .column("bytea", "'\\xff'", works: true) { $0.columns.email = "v" },
  ]

  static let tables: [MappingCase] = [
    .over("a plain table", works: true) { _ in },
    .over("an alias", works: true) { $0.from = "orders o" },
    .over("a condition", works: true) { $0.condition = "id > 1" },
    .over("a condition that holds for none", works: true) { $0.condition = "id > 100" },
    .over("a view", works: true, more: "CREATE VIEW v AS SELECT * FROM orders;") { $0.from = "v" },
    .over("a join", works: true) { mapping in
      mapping.from = "orders o JOIN orders p USING (id)"
      mapping.columns = .init(id: "id", status: "o.status", placedAt: "o.created_at")
    },
    .over("a join that doubles", works: false) { mapping in
      mapping.from = "orders o, generate_series(1, 2) g"
      mapping.columns = .init(id: "o.id", status: "o.status", placedAt: "o.created_at")
    },
    .over("a materialised view", works: true, more: "CREATE MATERIALIZED VIEW m AS SELECT * FROM orders;") {
      $0.from = "m"
    },
    .over("a sub-select", works: true) { $0.from = "(SELECT * FROM orders) s" },
    .over("no such table", works: false) { $0.from = "ordres" },
    .over("no such schema", works: false) { $0.from = "shop.orders" },
    .over("no such column", works: false) { $0.columns.email = "mail" },
    .over("no such column of changes", works: false) { $0.columns.updatedAt = ["changed_at"] },
    .over("no such column in the condition", works: false) { $0.condition = "NOT deleted" },
    .over("a condition that is none", works: false) { $0.condition = "id" },
    .over("a broken expression", works: false) { $0.columns.status = "status)" },
    .over("an ambiguous name", works: false) { $0.from = "orders a, orders b" },
    .over("no such function", works: false) { $0.columns.email = "decrypt_mail(email)" },
    .over("neither a status nor a condition", works: false) { ($0.columns.status, $0.qualifies) = (nil, nil) },
    .over("metadata", works: true) { $0.metadata = [.init(name: "s", expression: "status")] },
    .over("metadata of nothing", works: false) { $0.metadata = [.init(name: "s", expression: "sku")] },
    .over("row-level security for the owner", works: true, more: "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;") { _ in
    },
    .over("another database", works: false) { $0.connection += " dbname=nowhere" },
    .over("another role", works: false) { $0.connection += " user=stranger" },
    .over("no server", works: false) { $0.connection = "host=/nonexistent dbname=x" },
    .over(
      "a role without a grant", works: false,
      more: """
        DO $$ BEGIN CREATE ROLE ungranted LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        """
    ) { $0.connection += " user=ungranted" },
  ]
}

@Suite(.serialized) struct CheckAgreesWithRunTests {
  @Test(arguments: MappingCase.keys + MappingCase.columns + MappingCase.tables)
  func checkFailsExactlyWhereRunWouldNotWork(_ tried: MappingCase) async throws {
    let shop = try await Shop.make(tried.sql, tried.change)
    let report = try await ShopInspection(shop.mapping).report()
    let trouble = await Self.trouble(shop)
    let failures = report.findings.filter { $0.severity == .fail }.map { "\($0.subject): \($0.message)" }
    #expect((trouble == nil) == tried.works, "run: \(trouble ?? "works")")
    #expect(failures.isEmpty == (trouble == nil), "run: \(trouble ?? "works"); check: \(failures)")
  }

  /// The fault that keeps `run` from reporting some order, nil for none: reading is refused, a row is not read, not
  /// found again, or shares its key or ID with another.
  private static func trouble(_ shop: Shop) async -> String? {
    let orders = shop.orders()
    do {
      var sweeping = try await Sweeping(orders)
      let rows = try await sweeping.rows(whole: true)
      if sweeping.survey.hasRecent {
        _ = try await orders.recent(after: nil, of: sweeping.survey, screen: .everything)
      }
      let again = try await orders.orders(withKeys: rows.map(\.key))
      await orders.close()
      if let warning = sweeping.warnings.first { return warning }
      // A cart has no number yet, and is no fault.
      let cart = "(\(shop.mapping.columns.id)) IS NULL AND \(shop.mapping.columns.status ?? "'paid'") <> 'paid'"
      let condition = shop.mapping.condition.map { "(\($0)) AND " } ?? ""
      let count = try await shop.database.execute(
        "SELECT count(*) FROM \(shop.mapping.from) WHERE \(condition)(\(cart)) IS NOT TRUE")
      if again.count < Int(count) ?? 0 { return "\(again.count) of \(count) rows are found" }
      if let fault = rows.compactMap(\.fault).first(where: { $0.reason == .idRepeated || $0.transactionID == nil }) {
        return fault.detail
      }
      return Set(rows.compactMap(\.transactionID)).count == rows.count ? nil : "an ID is repeated"
    } catch {
      await orders.close()
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("v -> 'a' -> 'b'", "write ->> for ->: v -> 'a' ->> 'b'"),
    ("v #> '{a}'", "write #>> for #>: v #>> '{a}'"), ("v", "write ->> to take it out, such as (v) ->> 'name'"),
  ])
  func aValueOfJSONIsNamedWithWhatToWrite(sql: String, advice: String) async throws {
    let shop = try await Shop.column("jsonb", ["'{}'"]) { $0.columns.email = sql }
    let refusal = await failure { _ = try await shop.orders().survey() }
    #expect(refusal?.message.contains(advice) == true, "\(refusal?.message ?? "read")")
    let failure = try #require(try await ShopInspection(shop.mapping).report().findings.first { $0.severity == .fail })
    #expect(failure.message.contains(advice))
  }

  @Test func aCompositeKeyIsNamedWithWhatToWrite() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(2)) { $0.key = "(status, id)" }
    let report = try await ShopInspection(shop.mapping).report()
    let failure = try #require(report.findings.first { $0.severity == .fail })
    #expect(failure.message.contains("orders.key is of type record"))
    #expect(failure.message.contains("shop || '-' || no"))
  }
}
