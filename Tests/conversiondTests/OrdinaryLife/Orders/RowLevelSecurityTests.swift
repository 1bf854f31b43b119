import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct RowLevelSecurityTests {
  @Test func anOrderOnHoldStaysItWhileRowLevelSecurityHidesItAndIsReportedAfterwards() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      let role = "reader_\(shop.database.name)"
      try await shop.database.execute("CREATE ROLE \(role) LOGIN; GRANT SELECT ON orders TO \(role)")
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(shop.database.conninfo(user: role))])
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com")])
      // The hold ends in eight seconds.
      try await shop.insert(ShopOrder(1, email: "ana@example.com", daysAgo: 1 - 8 / 86_400.0))
      try await shop.start()
      #expect(await shop.reaches(["1": "held"]))
      try await shop.database.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
      #expect(await eventually(within: .seconds(20)) { shop.log.contains("row-level security was switched on") })
      #expect(await shop.reaches(["1": "queued"], within: .seconds(20)))
      try await Task.sleep(for: .seconds(2))
      #expect(await shop.peek()?["1"]?.state == "queued")
      #expect(try await shop.status().end == .exited(1))
      #expect(await shop.sandbox.state.reports.isEmpty)
      try await shop.database.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
      #expect(await shop.reaches(["1": "reported"], within: .seconds(90)))
      #expect(!shop.log.contains("cancelled"))
    }
  }

  /// A policy that looks at another table: what it hides is not known to be gone, even a single order.
  @Test func anOrderThatAPolicyMayHideIsHeldAndNotTakenForCancelled() async throws {
    try await DaemonFixture.with(["reporting.hold": "1d"]) { shop in
      let role = "reader_\(shop.database.name)"
      try await shop.database.execute(
        """
        CREATE ROLE \(role) LOGIN; CREATE TABLE seen (id bigint); INSERT INTO seen VALUES (1), (2), (3);
        GRANT SELECT ON orders, seen TO \(role); ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON orders USING (id IN (SELECT id FROM seen));
        """)
      try shop.configure(["orders.connection": DaemonConfiguration.quoted(shop.database.conninfo(user: role))])
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(
        (1...3).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 1 - 10 / 86_400.0) })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "3": "held"]))
      try await shop.database.execute("DELETE FROM seen WHERE id = 1")
      #expect(await shop.reaches(["2": "reported", "3": "reported"]))
      #expect(await eventually(within: .seconds(20)) { await shop.peek()?["1"]?.reason == "row_missing" })
      #expect(await shop.peek()?["1"]?.state == "held")
      try await shop.database.execute("INSERT INTO seen VALUES (1)")
      #expect(try await shop.run("queue", "release", "1", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "reported"]))
    }
  }
}
