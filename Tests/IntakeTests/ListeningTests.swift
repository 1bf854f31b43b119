import Conversions
import Ledger
import LoopFixtures
import Orders
import Pipeline
import TestHosts
import Testing

/// The shop says that orders changed, where it can.
@Suite(.serialized) struct ListeningTests {
  private static let slow = Intake.Settings(
    start: .everything, pollInterval: .seconds(3600), sweepInterval: .seconds(3600), duty: 1)

  @Test(arguments: [true, false])
  func aNotificationWakesIntakeAtOnce(hasRecent: Bool) async throws {
    let world = try await IntakeWorld.make(settings: Self.slow) { mapping in
      mapping.notifyChannel = "Orders Changed"
      if hasRecent { mapping.columns.updatedAt = ["created_at"] }
    }
    try await world.run(listening: true) {
      try await world.catchesUp()
      let listens = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
      try await world.reaches { try await world.sql(listens) == "1" }
      // Polling would take an hour. Some orders, one after the other: no ring is lost.
      for number in 1...3 {
        try await world.sql("INSERT INTO orders (email) VALUES ('a@example.com'); NOTIFY \"Orders Changed\"")
        try await world.reaches(within: .seconds(5)) { try await world.keys().count == number }
      }
      // A listener that was cut off listens again.
      try await world.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
      )
      try await world.sql("INSERT INTO orders (email) VALUES ('d@example.com')")
      try await world.reaches(within: .seconds(15)) { try await world.keys().count == 4 }
    }
  }

  @Test func withoutANotificationNothingIsReadInBetween() async throws {
    let world = try await IntakeWorld.make(settings: Self.slow) { $0.notifyChannel = "orders_changed" }
    try await world.run(listening: true) {
      try await world.catchesUp()
      // The one who begins to listen has everything looked at once.
      let listens = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
      try await world.reaches { try await world.sql(listens) == "1" }
      try await Task.sleep(for: .milliseconds(500))
      try await world.sql("INSERT INTO orders (email) VALUES ('a@example.com')")
      let isSeen = try await eventually(within: .seconds(1.5)) { try await !world.keys().isEmpty }
      #expect(!isSeen)
    }
  }

  @Test func aStandbyTakesNoListenersAndIsPolled() async throws {
    let primary = try await PostgresCluster.start()
    let standby = try await primary.startStandby()
    let world = try await IntakeWorld.make(cluster: primary) { mapping in
      mapping.connection = mapping.connection.replacing(primary.folder.path, with: standby.folder.path)
      mapping.notifyChannel = "orders_changed"
      mapping.columns.updatedAt = ["created_at"]
    }
    let copy = standby.database(world.database.name)
    #expect(await eventually { (try? await copy.execute("SELECT count(*) FROM orders")) == "0" })
    try await world.run(listening: true) {
      try await world.catchesUp()
      try await world.reaches { world.lines.of(.pollWarning).contains { $0.message.contains("not listened to") } }
      for number in 1...3 {
        try await world.sql("INSERT INTO orders (email) VALUES ('a@example.com'); NOTIFY orders_changed")
        try await world.reaches { try await world.keys().count == number }
      }
      try await world.sql("UPDATE orders SET total = 7 WHERE id = 2")
      try await world.reaches { try await world.order("2")?.order?.total == .amount("7.00", currency: "EUR") }
      #expect(world.lines.of(.pollFailed).isEmpty)
      #expect(world.lines.of(.pollWarning).count == 1)
    }
    withExtendedLifetime((primary, standby)) {}
  }

  @Test func behindATransactionPoolerEverythingWorksButListening() async throws {
    let cluster = try await PostgresCluster.start()
    let pooler = try TransactionPooler(cluster)
    let world = try await IntakeWorld.make(
      IntakeWorld.table + "INSERT INTO orders (email) SELECT i || '@example.com' FROM generate_series(1, 500) i;",
      cluster: cluster
    ) { mapping in
      mapping.connection =
        mapping.connection.replacing(cluster.folder.path, with: pooler.folder.path)
        .replacing("port=\(cluster.port)", with: "port=\(TransactionPooler.port)")
      mapping.notifyChannel = "orders_changed"
      mapping.columns.updatedAt = ["created_at"]
      mapping.timeZone = "Europe/Berlin"
    }
    // The other transactions of the session have settings that would change every value, were ours not the
    // transaction's own.
    try await world.sql("ALTER DATABASE \(world.database.name) SET datestyle = 'SQL, DMY'")
    try await world.run(listening: true) {
      try await world.catchesUp()
      try await world.reaches { try await world.total() == 500 }
      try await world.reaches { world.lines.of(.pollWarning).contains { $0.message.contains("a pooler") } }
      try await world.sql(
        "INSERT INTO orders (email) VALUES ('a@example.com'); UPDATE orders SET total = 7 WHERE id = 2")
      try await world.reaches { try await world.total() == 501 }
      try await world.reaches { try await world.order("2")?.order?.total == .amount("7.00", currency: "EUR") }
      let listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
      #expect(try await world.sql(listens) == "0")
      #expect(world.lines.of(.pollFailed).isEmpty)
      let keys = (1...501).map { OrderKey(String($0)) }
      #expect(try await world.orders.orders(withKeys: keys).values.compactMap(\.row).count == 501)
    }
    withExtendedLifetime((cluster, pooler)) {}
  }
}
