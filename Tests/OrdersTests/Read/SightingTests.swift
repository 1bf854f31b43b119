import Conversions
import Orders
import TestHosts
import Testing

/// Looks at single orders where a connection may lead to a server that lags.
@Suite(.serialized) struct SightingTests {
  private static func isUnproven(_ sighting: RowSighting?) -> Bool {
    if case .unproven? = sighting { true } else { false }
  }

  @Test func aStandbyThatLagsIsNoNewsAndIsBelievedOnceItHasCaughtUp() async throws {
    let primary = try await PostgresCluster.start()
    let database = try await primary.createDatabase()
    try await database.execute(Shop.table + Shop.rows(4))
    let standby = try await primary.startStandby()
    let copy = standby.database(database.name)
    // The first connection, for sweeps, leads to the primary, the second to the standby.
    let balancer = try ConnectionBalancer([primary, standby])
    var mapping = Shop(database: database, mapping: try await Shop.make(Shop.table).mapping).mapping
    mapping.connection = balancer.conninfo(database: database.name)
    let orders = ShopOrders(mapping)
    var sweeping = try await Sweeping(orders)
    #expect(try await sweeping.keys(whole: true) == ["1", "2", "3", "4"])
    let keys = ["1", "2", "3", "9", "77"].map { OrderKey($0) }
    func look(_ key: String) async throws -> RowSighting? { try await orders.orders(withKeys: keys)[OrderKey(key)] }
    #expect(try await eventually(within: .seconds(20)) { try await look("1")?.row != nil })

    try await copy.execute("SELECT pg_wal_replay_pause()")
    try await database.execute(
      "INSERT INTO orders (id, status) VALUES (9, 'paid'); UPDATE orders SET total = 5 WHERE id = 1; DELETE FROM orders WHERE id = 2"
    )
    #expect(Set(try await sweeping.keys()).isSuperset(of: ["1", "9"]))
    // Neither the order that it doesn't have yet, nor the one of which it has an older version.
    #expect(Self.isUnproven(try await look("9")))
    #expect(Self.isUnproven(try await look("1")))
    // The one that was deleted is shown for as long as it lags, and the one that never was is known to be none.
    #expect(try await look("2")?.row != nil)
    #expect(try await look("77") == .gone)

    try await copy.execute("SELECT pg_wal_replay_resume()")
    #expect(try await eventually(within: .seconds(20)) { try await look("9")?.row != nil })
    #expect(try await look("1")?.row?.order?.total == .amount("5.00", currency: "EUR"))
    #expect(try await look("2") == .gone)
    await orders.close()
    try await standby.stop()
    try await primary.stop()
  }

  @Test func aSweepThatWouldGoBackInTimeWaits() async throws {
    let primary = try await PostgresCluster.start()
    let database = try await primary.createDatabase()
    try await database.execute(Shop.table + Shop.rows(2))
    let standby = try await primary.startStandby()
    let copy = standby.database(database.name)
    #expect(await eventually { (try? await copy.execute("SELECT count(*) FROM orders")) == "2" })
    try await copy.execute("SELECT pg_wal_replay_pause()")
    try await database.execute("INSERT INTO orders (id, status) VALUES (9, 'paid')")
    let balancer = try ConnectionBalancer([primary, standby])
    var mapping = try await Shop.make(Shop.table).mapping
    mapping.connection = balancer.conninfo(database: database.name)
    let orders = ShopOrders(mapping)
    var sweeping = try await Sweeping(orders)
    #expect(try await sweeping.keys(whole: true) == ["1", "2", "9"])
    await orders.close()
    for _ in 0..<2 {
      #expect(await failure { _ = try await orders.survey() }?.kind == .transient)
      #expect(await failure { _ = try await sweeping.sweep(whole: true) }?.kind == .transient)
    }
    try await copy.execute("SELECT pg_wal_replay_resume()")
    #expect(await eventually(within: .seconds(20)) { await failure { _ = try await orders.survey() } == nil })
    try await sweeping.surveyAgain()
    #expect(try await sweeping.keys(whole: true) == ["1", "2", "9"])
    await orders.close()
    try await standby.stop()
    try await primary.stop()
  }

  @Test func aRowThatIsDeletedOnTheOnlyServerIsGoneAtOnce() async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(2))
    let orders = shop.orders()
    let keys = [OrderKey("1"), OrderKey("3"), OrderKey("no number")]
    #expect(
      try await orders.orders(withKeys: keys).mapValues { $0.row != nil } == [
        keys[0]: true, keys[1]: false, keys[2]: false,
      ])
    try await shop.database.execute("DELETE FROM orders WHERE id = 1")
    #expect(try await orders.orders(withKeys: keys) == [keys[0]: .gone, keys[1]: .gone, keys[2]: .gone])
  }

  @Test(arguments: ["orders", "(SELECT * FROM orders) AS o"])
  func aRowThatIsThereAndNoOrderIsNotGone(from: String) async throws {
    let shop = try await Shop.make(Shop.table + Shop.rows(3)) { ($0.from, $0.condition) = (from, "id <> 2") }
    let keys = ["1", "2", "9", "no number"].map { OrderKey($0) }
    let found = try await shop.orders().orders(withKeys: keys)
    #expect(found[keys[0]]?.row != nil)
    #expect(found[keys[1]] == .excluded && found[keys[2]] == .gone && found[keys[3]] == .gone)
  }

  @Test func aRowThatAPolicyMayHideIsNotKnownToBeGone() async throws {
    var shop = try await Shop.make(Shop.table + Shop.rows(2), hasOwnDatabase: true)
    let role = "reader_\(shop.database.name)"
    try await shop.database.execute(
      """
      CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role);
      ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (id = 1);
      """)
    shop.mapping.connection = shop.database.conninfo(user: role)
    let keys = [OrderKey("1"), OrderKey("2")]
    let found = try await shop.orders().orders(withKeys: keys)
    #expect(found[keys[0]]?.row != nil && found[keys[1]] == .hidden)
  }
}
