import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Faults of the shop's table while the daemon reads it, and while an order of it is about to be sent.
@Suite struct ShopTroubleTests {
  /// Reports order 1, and leaves order 2 in the queue, as the API is away.
  private func prepare(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
    try await shop.start()
    #expect(await shop.reaches(["1": "reported"]))
    await shop.sandbox.stop()
    try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
    #expect(await shop.reaches(["2": "queued"]))
  }

  private func finish(_ shop: DaemonFixture) async throws {
    try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
    #expect(await shop.reaches(["2": "reported", "3": "reported"], within: .seconds(90)))
    #expect(await shop.sandbox.state.counters.converted == 3)
    #expect(await shop.sandbox.state.reports.count == 3)
    #expect(shop.log.split(separator: "\n").count { $0.contains("event=poll_failed") } <= 3, "no line a try")
    #expect(try await shop.stop() == .exited(0))
  }

  @Test func aTableThatIsLockedIsWaitedForAndBurnsNoAttempt() async throws {
    try await DaemonFixture.with { shop in
      try await prepare(shop)
      let database = shop.database
      let lock = Task {
        try? await database.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(100); COMMIT;")
      }
      #expect(await eventually(within: .seconds(15)) { shop.log.contains("55P03") })
      try await shop.sandbox.start()
      try await Task.sleep(for: .seconds(3))
      // The order can't be looked at again, so it isn't sent.
      #expect(await shop.peek()?["2"]?.attempts == 0)
      #expect(await shop.peek()?["2"]?.state == "queued")
      #expect(try await shop.status().end == .exited(1))
      try await database.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE mode = 'AccessExclusiveLock' AND relation = 'orders'::regclass
        """)
      _ = await lock.value
      try await finish(shop)
    }
  }

  @Test(arguments: [
    (
      "ALTER TABLE orders RENAME customer_email TO mail", "ALTER TABLE orders RENAME mail TO customer_email",
      "orders.columns.email"
    ),
    (
      "ALTER TABLE orders DROP COLUMN total_cents",
      "ALTER TABLE orders ADD COLUMN total_cents numeric; UPDATE orders SET total_cents = 1000",
      "orders.columns.total"
    ),
    (
      "ALTER TABLE orders RENAME TO gone", "ALTER TABLE gone RENAME TO orders", "orders"
    ),
  ])
  func aColumnThatIsGoneIsNamedAndHealsByItself(_ change: String, _ repair: String, _ place: String) async throws {
    try await DaemonFixture.with { shop in
      try await prepare(shop)
      try await shop.database.execute(change)
      #expect(await eventually(within: .seconds(20)) { shop.log.contains("event=poll_failed") })
      try await shop.sandbox.start()
      try await Task.sleep(for: .seconds(3))
      #expect(await shop.peek()?["2"]?.attempts == 0)
      let status = try await shop.status()
      #expect(status.end == .exited(1))
      #expect(status.report.database.message?.contains(place) == true)
      try await shop.database.execute(repair)
      if repair.contains("ADD COLUMN") {
        // The table's columns stand in another order now.
        try await shop.database.execute(
          """
          INSERT INTO orders (id, customer_email, currency, status, created_at, total_cents)
          VALUES (3, 'friend3@example.com', 'EUR', 'paid', now() - interval '1 day', 1000)
          """)
        #expect(await shop.reaches(["2": "reported", "3": "reported"], within: .seconds(90)))
        #expect(await shop.sandbox.state.counters.converted == 3)
      } else {
        try await finish(shop)
      }
    }
  }

  @Test func withoutGrantsPasswordOrSlotsItTriesSlowlyOnAtMostThreeConnections() async throws {
    let cluster = try await PostgresCluster.start(settings: ["log_connections": "on", "log_disconnections": "off"])
    try await DaemonFixture.with(cluster: cluster) { shop in
      let environment = try await useRoleWithPassword(shop, cluster)
      try await shop.sandbox.put((1...4).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start(environment: environment)
      #expect(await shop.reaches(["1": "reported"]))
      let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
      let troubles: [(String, String, String)] = [
        ("REVOKE SELECT ON orders FROM reader; \(cut)", "GRANT SELECT ON orders TO reader", "permission denied"),
        ("ALTER ROLE reader PASSWORD 'other'; \(cut)", "ALTER ROLE reader PASSWORD 'secret'", "authentication failed"),
        (
          "ALTER ROLE reader CONNECTION LIMIT 0; \(cut)", "ALTER ROLE reader CONNECTION LIMIT -1",
          "too many connections"
        ),
      ]
      for (number, (trouble, repair, words)) in zip(2..., troubles) {
        let before = shop.log.utf8.count
        try await shop.database.execute(trouble)
        #expect(
          await eventually(within: .seconds(20)) { shop.log.dropFirst(before).contains(words) }, "\(words)")
        let tries = cluster.serverLog.split(separator: "\n").count { $0.contains("connection received") }
        var most = 0
        for _ in 0..<10 {
          most = max(most, try await connections(shop))
          try await Task.sleep(for: .milliseconds(400))
        }
        // Ours are ten of them, psql's.
        let more = cluster.serverLog.split(separator: "\n").count { $0.contains("connection received") } - tries
        #expect(more < 25, "\(more) connections in four seconds of: \(words)")
        #expect(most <= 3)
        try await shop.database.execute(repair)
        try await shop.insert(ShopOrder(number, email: "friend\(number)@example.com"))
        #expect(await shop.reaches([String(number): "reported"], within: .seconds(90)))
        #expect(try await connections(shop) <= 3)
      }
      #expect(!shop.log.contains("secret"))
      #expect(await shop.sandbox.state.reports.count == 4)
    }
    try await cluster.stop()
  }

  private func connections(_ shop: DaemonFixture) async throws -> Int {
    Int(try await shop.database.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'")) ?? -1
  }

  private func useRoleWithPassword(_ shop: DaemonFixture, _ cluster: PostgresCluster) async throws -> [String: String] {
    try await shop.database.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT SELECT ON orders TO reader")
    let file = cluster.data + "/pg_hba.conf"
    let rules = try String(contentsOfFile: file, encoding: .utf8)
    try "local all reader scram-sha-256\n\(rules)".write(toFile: file, atomically: false, encoding: .utf8)
    try await shop.database.execute("SELECT pg_reload_conf()")
    try shop.configure(["orders.connection": "'service=shop'"])
    let lines = "[shop]\nhost=\(cluster.folder.path)\nport=\(cluster.port)\ndbname=\(shop.database.name)\n"
    return ["PGSERVICEFILE": try shop.folder.write(lines + "user=reader\npassword=secret\n", to: "services")]
  }
}
