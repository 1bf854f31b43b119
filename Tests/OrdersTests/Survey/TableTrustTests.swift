import Conversions
import Orders
import TestHosts
import Testing

/// By what a table is followed: row versions where one ordinary table holds everything that is read, hashes elsewhere.
@Suite(.serialized) struct TableTrustTests {
  private static let tables =
    Shop.table + Shop.rows(3) + """
      CREATE TABLE payments (order_id bigint, paid boolean DEFAULT true);
      CREATE TABLE nokey (LIKE orders);
      CREATE TABLE halfkey (LIKE orders);
      CREATE UNIQUE INDEX ON halfkey (id) WHERE status = 'paid';
      CREATE TABLE pairkey (LIKE orders);
      CREATE UNIQUE INDEX ON pairkey (id, status);
      CREATE VIEW v AS SELECT * FROM orders;
      CREATE MATERIALIZED VIEW m AS SELECT * FROM orders;
      CREATE TABLE parent (LIKE orders INCLUDING ALL);
      CREATE TABLE child () INHERITS (parent);
      CREATE TABLE parts (id bigint PRIMARY KEY, email text, lead text, total numeric, currency text, status text,
        created_at timestamptz) PARTITION BY RANGE (id);
      CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
      CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
      CREATE TABLE loose (id bigint, email text, lead text, total numeric, currency text, status text,
        created_at timestamptz) PARTITION BY RANGE (created_at);
      CREATE TABLE loose1 PARTITION OF loose FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
      CREATE TABLE loose2 PARTITION OF loose FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
      CREATE TABLE "Odd ""Name" (LIKE orders INCLUDING ALL);
      CREATE FUNCTION is_paid(x bigint) RETURNS boolean LANGUAGE sql STABLE AS
        $$ SELECT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = x) $$;
      CREATE FUNCTION is_paid_too(x bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
        $$ BEGIN RETURN EXISTS (SELECT 1 FROM payments p WHERE p.order_id = x); END $$;
      CREATE FUNCTION row_only(o orders) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
      CREATE FUNCTION plain(x text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(x) $$;
      """

  private func survey(_ change: @escaping (inout OrderMapping) -> Void) async throws -> ShopSurvey {
    try await Shop.make(Self.tables, change).orders().survey()
  }

  @Test(arguments: [
    "orders", "orders o", "orders AS o", "orders  as \"O\"", "  orders ", "\"orders\"", "\"Odd \"\"Name\"", "parts",
    "loose", "parts p",
  ])
  func oneOrdinaryTable(from: String) async throws {
    let survey = try await survey { $0.from = from }
    #expect(survey.method == .versions, "\(survey.because)")
  }

  @Test(arguments: [
    ("v", "a view"), ("m", "a materialised view"), ("parent", "child tables"), ("nokey", "no unique index"),
    ("halfkey", "no unique index"), ("pairkey", "no unique index"),
    ("orders o LEFT JOIN payments p ON p.order_id = o.id", "a join or a sub-select"),
    ("orders, payments", "a join or a sub-select"), ("(SELECT * FROM orders) AS o", "a join or a sub-select"),
    ("(TABLE orders) o", "a join or a sub-select"), ("orders TABLESAMPLE BERNOULLI (50)", "a join or a sub-select"),
    ("ONLY parent", "a join or a sub-select"),
    ("orders WHERE id IN (SELECT order_id FROM payments)", "a join or a sub-select"),
  ])
  func anythingElse(from: String, because: String) async throws {
    let survey = try await survey { $0.from = from }
    #expect(survey.method == .hashes)
    #expect(survey.because.contains(because), "\(survey.because)")
  }

  /// An expression by which an order depends on more than its row.
  @Test(arguments: [
    ("EXISTS (SELECT 1 FROM payments p WHERE p.order_id = orders.id)", "payments"),
    ("id IN (SELECT order_id FROM payments)", "payments"),
    ("EXISTS (SELECT 1 FROM orders o WHERE o.email = orders.email AND o.id < orders.id)", "a sub-select"),
    ("id = (SELECT max(id) FROM orders)", "sub-select"),
    ("NOT (orders.* IS NULL) AND (SELECT true)", "sub-select"),
    ("created_at < now()", "function now"), ("created_at < CURRENT_TIMESTAMP", "current_timestamp"),
    ("created_at::date < CURRENT_DATE", "current_date"), ("clock_timestamp() > created_at", "clock_timestamp"),
    ("age(created_at) > interval '1 day'", "function age"), ("random() < 2", "random"),
    ("current_setting('server_version') <> email", "current_setting"), ("lead = CURRENT_USER", "current_user"),
    ("is_paid_too(id)", "is_paid_too"), ("is_paid(id)", ""), ("plain(status) = 'paid'", "plain"),
    ("orders.row_only", "(orders)"), ("lead = \"lower\"(lead)", "function lower"),
  ])
  func aConditionThatReadsMore(sql: String, because: String) async throws {
    let survey = try await survey { $0.qualifies = sql }
    #expect(survey.method == .hashes)
    #expect(survey.because.contains(because), "\(survey.because)")
    let filtered = try await self.survey { $0.condition = sql }
    #expect(filtered.method == .hashes, "\(sql) in orders.where")
  }

  @Test(arguments: [
    "(SELECT sum(1) FROM payments p WHERE p.order_id = orders.id)::numeric", "row_number() OVER (ORDER BY id)",
    "count(*) OVER (PARTITION BY email)",
  ])
  func aColumnThatReadsMore(sql: String) async throws {
    #expect(try await survey { $0.columns.total = sql }.method == .hashes)
  }

  /// PostgreSQL makes a time of these words at each parse, and no row changes when it comes.
  @Test(arguments: [
    "created_at <= 'now'", "created_at < 'TODAY'", "created_at > ' Yesterday '", "created_at < 'tomorrow 10:00'",
    "created_at < timestamp 'now'", "created_at < timestamptz 'today' + interval '1 day'",
    "created_at < CAST('now' AS timestamptz)", "created_at < 'now'::text::timestamptz",
    "created_at < ('n' || 'ow')::timestamptz", "created_at < 'n'\n'ow'", "created_at < E'n\\x6fw'",
    "created_at < U&'n\\006fw'", "created_at < $$now$$", "created_at < $a$now$a$", "created_at < lead::timestamptz",
    "created_at > '2026-01-01' /* and */ AND created_at < 'now'",
  ])
  func aTimeInWords(sql: String) async throws {
    for place in [\OrderMapping.condition, \.qualifies] {
      let survey = try await survey { $0[keyPath: place] = sql }
      #expect(survey.method == .hashes, "\(sql)")
    }
  }

  @Test(arguments: [
    "lower(email) = 'x' OR status = 'paid'", "status LIKE 'no%'", "(status || '!') <> 'x'",
    "status IN ('paid', 'shipped') AND total > 0 AND created_at > '2020-01-01'", "coalesce(total, 0) > 0",
    "CASE WHEN lead IS NULL THEN total * 100 ELSE trim(both ' ' from lead)::numeric(12,2) END > 5",
    "NOT (\"status\" = 'paid' AND orders.total BETWEEN 1 AND 2.5)", "created_at::timestamp > timestamp '2026-01-01'",
    "created_at AT TIME ZONE 'Europe/Berlin' > '2026-01-01'", "status = ANY (ARRAY['paid', 'nowhere'])",
    "total::double precision < 5 AND lead::character varying(5) = 'x'",
  ])
  func aConditionOfTheRowAlone(sql: String) async throws {
    let survey = try await survey { $0.qualifies = sql }
    #expect(survey.method == .versions, "\(survey.because)")
  }

  @Test func grantsOfColumnsNeedXmin() async throws {
    let shop = try await Shop.make(Self.tables, hasOwnDatabase: true)
    let role = "columns_\(shop.database.name)"
    try await shop.database.execute(
      """
      CREATE ROLE \(role) LOGIN;
      GRANT SELECT (id, email, lead, total, currency, status, created_at) ON orders TO \(role);
      """)
    var mapping = shop.mapping
    mapping.connection = shop.database.conninfo(user: role)
    let survey = try await ShopOrders(mapping).survey()
    #expect(survey.method == .hashes)
    #expect(try await ShopOrders(mapping).walk().count == 3)
    let report = try await ShopInspection(mapping).report()
    let advice = report.findings.compactMap(\.advice).first { $0.contains("xmin") }
    #expect(advice?.hasPrefix("GRANT SELECT (xmin, ctid) ON orders TO") == true)
    // As the advice says.
    try await shop.database.execute("GRANT SELECT (xmin, ctid) ON orders TO \(role)")
    #expect(try await ShopOrders(mapping).survey().method == .versions)
    #expect(try await ShopOrders(mapping).walk().count == 3)
  }

  @Test func aForeignTable() async throws {
    let shop = try await Shop.make(Self.tables, hasOwnDatabase: true)
    let cluster = shop.database.cluster
    try await shop.database.execute(
      """
      CREATE EXTENSION postgres_fdw;
      CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
        OPTIONS (host '\(cluster.folder.path)', port '\(cluster.port)', dbname '\(shop.database.name)');
      CREATE USER MAPPING FOR postgres SERVER itself OPTIONS (user 'postgres', password_required 'false');
      CREATE FOREIGN TABLE far (id bigint, email text, lead text, total numeric, currency text, status text,
        created_at timestamptz) SERVER itself OPTIONS (table_name 'orders');
      CREATE TABLE mixed (LIKE far) PARTITION BY RANGE (id);
      CREATE TABLE mixed1 PARTITION OF mixed FOR VALUES FROM (10) TO (20);
      ALTER TABLE mixed ATTACH PARTITION far FOR VALUES FROM (0) TO (10);
      """)
    for from in ["far", "mixed"] {
      var foreign = shop
      foreign.mapping.from = from
      let survey = try await foreign.orders().survey()
      #expect(survey.method == .hashes, "\(from)")
      #expect(try await foreign.orders().walk().count == 3)
    }
  }

  @Test func aPartitionedTableWithAnInheritedUniqueKeyOrNone() async throws {
    for from in ["parts", "loose"] {
      let shop = try await Shop.make(
        Self.tables + """
          INSERT INTO \(from) SELECT i, 'x', 'y', 1, 'EUR', 'paid', '2026-01-01'::timestamptz + i * interval '20 days'
          FROM generate_series(1, 15) i;
          """
      ) { $0.from = from }
      var sweeping = try await Sweeping(shop.orders())
      #expect(try await sweeping.keys(whole: true) == (1...15).map(String.init))
      let isCalm = try await sweeping.reachesCalm()
      #expect(isCalm)
      guard from == "loose" else { continue }
      // The same key in another partition, which nothing forbids.
      try await shop.database.execute("INSERT INTO loose SELECT 1, 'x', 'y', 2, 'EUR', 'paid', '2026-12-01'")
      #expect(try await sweeping.rows().map { $0.fault?.reason } == [.idRepeated])
      #expect(try await sweeping.rows(whole: true).first?.fault?.reason == .idRepeated)
    }
  }

  @Test func aTableUnderRowLevelSecurity() async throws {
    let shop = try await Shop.make(
      Self.tables + """
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY paid_ones ON orders USING (EXISTS (SELECT 1 FROM payments p WHERE p.order_id = orders.id));
        """, hasOwnDatabase: true)
    let role = "policed_\(shop.database.name)"
    try await shop.database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders, payments TO \(role)")
    var mapping = shop.mapping
    mapping.connection = shop.database.conninfo(user: role)
    // A payment makes an order visible, and no version of it tells.
    #expect(try await ShopOrders(mapping).survey().method == .hashes)
  }
}
