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
}
