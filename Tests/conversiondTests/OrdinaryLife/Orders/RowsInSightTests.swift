import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Rows that come into sight without being written, and days without a time.
@Suite struct RowsInSightTests {
  @Test(arguments: [
    "release_at <= 'now'", "'today' <= release_at AND release_at <= 'NOW'::timestamptz",
    "release_at < CURRENT_TIMESTAMP",
  ])
  func anOrderWhoseTimeComesIsReported(condition: String) async throws {
    let settings = ["orders.where": DaemonConfiguration.quoted(condition), "orders.sweep_interval": "1s"]
    try await DaemonFixture.with(settings) { shop in
      try await shop.database.execute("ALTER TABLE orders ADD release_at timestamptz DEFAULT now()")
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...2).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.database.execute("UPDATE orders SET release_at = '2999-01-01' WHERE id = 2")
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.database.execute("UPDATE orders SET release_at = now() + interval '10 s' WHERE id = 2")
      try await Task.sleep(for: .seconds(2))
      #expect(await shop.peek()?["2"] == nil, "it is no order yet")
      #expect(await shop.reaches(["2": "reported"], within: .seconds(60)))
    }
  }

  @Test(arguments: [
    "ALTER POLICY p ON orders USING (true)", "DROP POLICY p ON orders; CREATE POLICY q ON orders USING (id < 9)",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
  ])
  func ordersThatAPolicyHidNoMoreAreReported(change: String) async throws {
    try await DaemonFixture.with(["orders.sweep_interval": "1s"]) { shop in
      let role = "reader_\(shop.database.name)"
      try await shop.database.execute(
        """
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role);
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (id = 1);
        """)
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(shop.database.conninfo(user: role))])
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...2).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 3) })
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.peek()?["2"] == nil)
      try await shop.database.execute(change)
      #expect(await shop.reaches(["2": "reported"], within: .seconds(60)))
    }
  }

  @Test(arguments: ["created_at::date", "(created_at AT TIME ZONE 'UTC')::date", "now()::date"])
  func anOrderOfADayWithoutATimeSaysWhyItWaits(column: String) async throws {
    try await DaemonFixture.with(["orders.columns.placed_at": DaemonConfiguration.quoted(column)]) { shop in
      try await shop.sandbox.put([SandboxReferral("r1", email: "friend1@example.com")])
      try await shop.insert(ShopOrder(1, email: "friend1@example.com", daysAgo: 0))
      try await shop.start()
      #expect(await shop.reaches(["1": "held"]))
      let screen = try await shop.run("queue", "show", "1").output
      #expect(screen.contains("placed on a day without a time: it is held until that day has ended"), "\(screen)")
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }
}
