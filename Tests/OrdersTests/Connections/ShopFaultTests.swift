import Conversions
import Orders
import Postgres
import TestHosts
import Testing

/// Faults of a database while it is read.
@Suite(.serialized) struct ShopFaultTests {
  @Test func aDroppedColumnHealsWhenItIsBack() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(5))
    var sweeping = try await Sweeping(shop.orders())
    #expect(try await sweeping.keys(whole: true).count == 5)
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
    try await shop.database.execute("ALTER TABLE orders RENAME email TO mail")
    let failure = await failure { _ = try await sweeping.keys() }
    #expect(failure?.kind == .mapping)
    #expect(failure?.message.hasPrefix("orders.columns.email: column \"email\" does not exist") == true)
    try await shop.database.execute(
      "ALTER TABLE orders RENAME mail TO email; UPDATE orders SET status = 'x' WHERE id IN (3, 4)")
    #expect(try await sweeping.keys() == ["3", "4"])
  }

  @Test func aRetypedColumnIsReadInItsNewTypeAtOnce() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(4)) { $0.timeZone = "Europe/Berlin" }
    var sweeping = try await Sweeping(shop.orders())
    let first = try await sweeping.rows(whole: true)
    try await shop.database.execute(
      "ALTER TABLE orders ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC'")
    // Expects the marks to be refused: they are of the table as it was before.
    #expect(await failure { _ = try await sweeping.keys() }?.kind == .changed)
    try await sweeping.surveyAgain()
    let second = try await sweeping.rows(whole: true)
    let difference =
      try #require(second.first?.order).placedAt.earliest - #require(first.first?.order).placedAt.earliest
    #expect(difference == .seconds(-7200))
  }

  @Test func aTerminatedBackendAndARestart() async throws {
    let cluster = try await PostgresCluster.start()
    let database = try await cluster.createDatabase()
    try await database.execute(Shop.table + Shop.rows(3))
    let orders = ShopOrders(
      OrderMapping(
        connection: database.conninfo, from: "orders",
        columns: .init(id: "id", status: "status", placedAt: "created_at"), qualifyingStatuses: ["paid"]))
    #expect(try await orders.walk().count == 3)
    try await database.execute(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'conversiond'")
    // Closed while it was idle: noticed before it is used.
    #expect(try await orders.walk().count == 3)
    try await cluster.restart(.fast)
    #expect(try await orders.walk().count == 3)
    try await cluster.stop(.immediate)
    let failure = await failure { _ = try await orders.walk() }
    #expect(failure?.kind == .unreachable)
    let again = await OrdersTests.failure { _ = try await orders.walk() }
    #expect(again?.kind == .unreachable)
    try await cluster.start()
    #expect(try await orders.walk().count == 3)
    #expect(try await orders.rows(withKeys: [OrderKey("1")]).count == 1)
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'conversiond'"
    #expect(try await database.execute(count) == "2")
    await orders.close()
    #expect(await eventually { (try? await database.execute(count)) == "0" })
  }

  @Test func aLockedTableIsTransientAndSoon() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3))
    let orders = shop.orders(TransactionLimits(lock: .milliseconds(200)))
    #expect(try await orders.walk().count == 3)
    let locking = Task {
      try await shop.database.execute("BEGIN; LOCK TABLE orders; SELECT pg_sleep(2); COMMIT")
    }
    let held =
      "SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock' AND granted"
    #expect(await eventually { (try? await shop.database.execute(held)) == "1" })
    let start = ContinuousClock.now
    let failure = await failure { _ = try await orders.walk() }
    #expect(failure?.kind == .transient)
    #expect(failure?.sqlState == "55P03")
    #expect(ContinuousClock.now - start < .seconds(1.5))
    _ = try await locking.value
    #expect(try await orders.walk().count == 3)
  }

  @Test func aRevokedGrantSaysSo() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3), hasOwnDatabase: true)
    let role = "reader_\(shop.database.name)"
    try await shop.database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role)")
    var mapping = shop.mapping
    mapping.connection = shop.database.conninfo(user: role)
    let orders = ShopOrders(mapping)
    #expect(try await orders.walk().count == 3)
    try await shop.database.execute("REVOKE SELECT ON orders FROM \(role)")
    let failure = await failure { _ = try await orders.walk() }
    #expect(failure?.kind == .permission)
    #expect(failure?.sqlState == "42501")
    #expect(failure?.message.contains("GRANT SELECT") == true)
    try await shop.database.execute("GRANT SELECT ON orders TO \(role)")
    #expect(try await orders.walk().count == 3)
  }

  @Test func aTimeLimitMakesPagesSmallerAndTheWalkEnds() async throws {
    let shop = try await Shop.make(
      Shop.table + Shop.rows(24) + """
        CREATE FUNCTION slow(x text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.02); RETURN x; END $$;
        """
    ) { $0.columns.email = "slow(email)" }
    var sweeping = try await Sweeping(shop.orders(TransactionLimits(statement: .milliseconds(250))))
    // Each call halves what it reads a few times, and leaves the rest to the next one.
    sweeping.failuresMax = 3
    #expect(try await sweeping.keys(whole: true).count == 24)
    #expect(sweeping.warnings.contains { $0.contains("less is read at a time") })
    #expect(sweeping.ranges.count > 1)
    // The smaller ranges stay, and their hashes can be computed in time.
    sweeping.failuresMax = 0
    let isCalm = try await sweeping.reachesCalm()
    #expect(isCalm)
  }

  @Test func aTimeLimitMakesPiecesOfBlocksSmaller() async throws {
    // Thirty rows to the block, each some milliseconds of arithmetic that is immutable.
    let shop = try await Shop.make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, filler text DEFAULT repeat('x', 230), status text DEFAULT 'paid',
        created_at timestamptz DEFAULT now());
      INSERT INTO orders (id) SELECT generate_series(1, 300);
      CREATE FUNCTION md5(x text, slow boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN PERFORM pg_sleep(0.004); RETURN x; END $$;
      """, hasOwnDatabase: true
    ) { $0.columns = .init(id: "id", email: "md5(filler, true)", status: "status", placedAt: "created_at") }
    var sweeping = try await Sweeping(shop.orders(TransactionLimits(statement: .milliseconds(300))))
    #expect(sweeping.survey.method == .versions)
    sweeping.failuresMax = 3
    #expect(try await sweeping.keys(whole: true).count == 300)
    #expect(sweeping.pieces > 3)
    #expect(sweeping.ranges.count == 1)
    #expect(sweeping.warnings.contains { $0.contains("less is read at a time") })
  }

  @Test func aRolesTimeLimitOfFiveMillisecondsIsTransientAndNoHotLoop() async throws {
    let shop = try await Shop.make(
      Shop.table + Shop.rows(200) + """
        CREATE FUNCTION slow(x text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.02); RETURN x; END $$;
        """, hasOwnDatabase: true
    ) { $0.columns.email = "slow(email)" }
    let role = "hurried_\(shop.database.name)"
    try await shop.database.execute(
      "CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role); ALTER ROLE \(role) SET statement_timeout = '5ms'")
    var mapping = shop.mapping
    mapping.connection = shop.database.conninfo(user: role)
    let orders = ShopOrders(mapping)
    let failure = await failure { _ = try await orders.walk() }
    #expect(failure?.kind == .transient)
    #expect(failure?.sqlState == "57014")
    try await shop.database.execute("ALTER ROLE \(role) RESET statement_timeout")
    await orders.close()
    #expect(try await orders.walk().isEmpty == false)
  }

  @Test func cancellationEndsAReadWithinASecond() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3)) { $0.columns.email = "pg_sleep(30)::text" }
    let orders = shop.orders(TransactionLimits(statement: .seconds(60)))
    let reading = Task { try await orders.walk() }
    try await Task.sleep(for: .milliseconds(500))
    let start = ContinuousClock.now
    reading.cancel()
    let result = await reading.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(ContinuousClock.now - start < .seconds(1))
  }

  @Test func pagesAndRereadsGoOnSideBySide() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(300), hasOwnDatabase: true) { $0.pageSize = 20 }
    let orders = shop.orders()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try await orders.walk().count } }
      for _ in 0..<8 {
        group.addTask { try await orders.rows(withKeys: (1...300).map { OrderKey("\($0)") }).count }
      }
      for try await count in group { #expect(count == 300) }
    }
    let connections =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'conversiond' AND datname = current_database()"
    #expect(try await shop.database.execute(connections) == "2")
  }
}
