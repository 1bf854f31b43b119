import Conversions
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// Rows that come into sight, or go out of it, without being written.
@Suite(.serialized) struct VisibilityTests {
  private static let tenants =
    IntakeWorld.table + """
      ALTER TABLE orders ADD tenant int DEFAULT 1;
      INSERT INTO orders (email, tenant, created_at)
        SELECT 'f' || i || '@example.com', i, now() - interval '300 days' FROM generate_series(1, 2) i;
      """

  /// A world whose orders are read as a role of its own, with a look for recent changes: old ranges are swept seldom.
  private func world(_ sql: String, _ change: (inout OrderMapping) -> Void = { _ in }) async throws -> IntakeWorld {
    let base = try await IntakeWorld.make(Self.tenants)
    let role = "reader_\(base.database.name)"
    try await base.sql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role);" + sql)
    try await base.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
    return try base.restarted { mapping in
      mapping.connection = base.database.conninfo(user: role)
      mapping.columns.updatedAt = ["updated_at"]
      change(&mapping)
    }
  }

  @Test(arguments: ["release_at <= 'now'", "'today' <= release_at AND release_at <= 'NOW'::timestamptz"])
  func aTimeInWordsThatComesIsSeenAtTheNextSweep(condition: String) async throws {
    let world = try await IntakeWorld.make(
      IntakeWorld.table + """
        ALTER TABLE orders ADD release_at timestamptz;
        INSERT INTO orders (email, release_at) VALUES ('a@example.com', now()), ('b@example.com', now() + interval '4 s');
        """
    ) { $0.condition = condition }
    try await world.run {
      try await world.holds(["1"])
      try await world.holds(["1", "2"])
    }
  }

  @Test func aPolicyThatIsWidenedHasEverythingReadAgain() async throws {
    let world = try await world(
      "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (tenant = 1);")
    try await world.run {
      try await world.reaches { try await world.total() == 1 }
      #expect(world.lines.of(.pollWarning).contains { $0.message.contains("row-level security is on for orders") })
      try await Task.sleep(for: .seconds(1))
      #expect(try await world.total() == 1)
      try await world.sql("ALTER POLICY p ON orders USING (true)")
      try await world.reaches { try await world.total() == 2 }
      #expect(world.lines.of(.tableChanged).count == 1)
      #expect(world.lines.of(.pollFailed).isEmpty)
    }
  }

  @Test func aViewThatIsDefinedAnewHasEverythingReadAgain() async throws {
    let world = try await world(
      """
      CREATE VIEW inner_view AS SELECT * FROM orders WHERE tenant = 1;
      CREATE VIEW shown AS SELECT * FROM inner_view;
      """
    ) { $0.from = "shown AS s" }
    try await world.run {
      try await world.reaches { try await world.total() == 1 }
      try await Task.sleep(for: .seconds(1))
      try await world.sql("CREATE OR REPLACE VIEW inner_view AS SELECT * FROM orders")
      try await world.reaches { try await world.total() == 2 }
      #expect(world.lines.of(.tableChanged).count == 1)
    }
  }

  @Test(arguments: [true, false])
  func rowLevelSecurityThatIsSwitchedOnIsAnOutageAndTakesNothingForGone(behindView: Bool) async throws {
    let world = try await world("CREATE VIEW v AS SELECT * FROM orders; ALTER VIEW v OWNER TO CURRENT_USER;") {
      if behindView { $0.from = "v" }
    }
    if behindView {
      let owner = "owner_\(world.database.name)"
      try await world.sql("CREATE ROLE \(owner); GRANT SELECT ON orders TO \(owner); ALTER VIEW v OWNER TO \(owner)")
    }
    try await world.run {
      try await world.reaches { try await world.total() == 2 }
      #expect(try await world.orders.orders(withKeys: [OrderKey("1")])[OrderKey("1")]?.row != nil)
      try await world.sql("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
      try await world.reaches { world.lines.of(.pollFailed).contains { $0.message.contains("row-level security was") } }
      let sighting = try await world.orders.orders(withKeys: [OrderKey("1")])[OrderKey("1")]
      guard case .unproven? = sighting else { throw TestHostError("taken for \(String(describing: sighting))") }
      try await world.sql("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
      try await world.reaches { !world.lines.of(.pollRecovered).isEmpty }
      #expect(try await world.orders.orders(withKeys: [OrderKey("1")])[OrderKey("1")]?.row != nil)
      #expect(try await world.total() == 2)
    }
  }

  @Test func anotherClientsSettingsBehindAPoolerChangeNothing() async throws {
    let cluster = try await PostgresCluster.shared()
    let bouncer = try await PgBouncer(before: cluster)
    let base = try await IntakeWorld.make(
      IntakeWorld.table + """
        INSERT INTO orders (email) VALUES ('a@example.com');
        CREATE SCHEMA tenant2;
        CREATE TABLE tenant2.orders (LIKE public.orders INCLUDING ALL);
        INSERT INTO tenant2.orders (id, email) VALUES (77, 'tenant2@example.com');
        CREATE ROLE poor;
        """)
    let name = base.database.name
    let leak = "SET search_path = tenant2; SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'"
    let proof = "DO $$ BEGIN IF current_schema <> 'tenant2' THEN RAISE 'nothing was left behind'; END IF; END $$"
    try await bouncer.execute(leak, database: name)
    try await bouncer.execute(proof, database: name)
    let world = try base.restarted { $0.connection = bouncer.conninfo(database: name) }
    try await world.run {
      try await world.holds(["1"])
      for (number, more) in zip(2..., ["", "; SET ROLE poor", "; RESET ROLE; CREATE TEMP TABLE orders (id int)"]) {
        try await bouncer.execute(leak + more, database: name)
        try await world.sql("INSERT INTO orders (email) VALUES ('b@example.com')")
        try await world.holds(Set((1...number).map(String.init)))
        let found = try await world.orders.orders(withKeys: [OrderKey("1"), OrderKey("77")])
        #expect(found[OrderKey("1")]?.row != nil)
        #expect(found[OrderKey("77")] == .gone)
      }
      #expect(world.lines.of(.tableChanged).isEmpty && world.lines.of(.pollFailed).isEmpty)
      try await bouncer.execute("RESET ROLE", database: name)
      try await bouncer.execute(proof, database: name)
    }
    try await base.sql("DROP ROLE poor")
    try await bouncer.stop()
  }

  @Test(arguments: ["limit", "session", "clients"])
  func everythingWorksOnOneConnection(kind: String) async throws {
    let cluster = try await PostgresCluster.shared()
    let base = try await IntakeWorld.make(IntakeWorld.table + "INSERT INTO orders (email) VALUES ('a@example.com')")
    let name = base.database.name
    let role = "single_\(name)"
    try await base.sql("CREATE ROLE \(role) LOGIN CONNECTION LIMIT 1; GRANT SELECT ON orders TO \(role)")
    let bouncer =
      switch kind {
      case "session": try await PgBouncer(before: cluster, users: [role], ["pool_mode": "session"])
      case "clients": try await PgBouncer(before: cluster, users: [role], ["max_client_conn": "1"])
      default: PgBouncer?.none
      }
    let world = try base.restarted { mapping in
      mapping.connection =
        bouncer?.conninfo(database: name, user: role) ?? base.database.conninfo(user: role)
      mapping.notifyChannel = "orders"
    }
    try await world.run(listening: true) {
      try await world.holds(["1"])
      for number in 2...4 {
        try await world.sql("INSERT INTO orders (email) VALUES ('b@example.com')")
        try await world.holds(Set((1...number).map(String.init)))
        let key = OrderKey(String(number))
        #expect(try await world.orders.orders(withKeys: [key])[key]?.row != nil)
      }
      try await world.reaches {
        world.lines.of(.pollWarning).count { $0.message.contains("no second connection") } == 1
      }
      #expect(world.lines.of(.pollFailed).isEmpty)
    }
    try await bouncer?.stop()
  }
}
