import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A shop that moves from euros with decimals to whole cents, or back.
@Suite struct ChangedTotalTests {
  private static let words =
    "the type of orders.columns.total was numeric(12,2) and is bigint: set orders.total_unit for it and restart"

  /// The error lines that say so; a send that waits for it is a warning.
  private func errors(_ shop: DaemonFixture) -> Int {
    shop.log.split(separator: "\n").count { $0.contains("error   reading orders failed: \(Self.words)") }
  }

  @Test(arguments: ["orders", "(SELECT * FROM orders) AS o"])
  func aTotalOfAnotherKindIsNotReadUntilItsUnitIsSaid(from: String) async throws {
    let settings = [
      "reporting.hold": "1d", "orders.total_unit": "major", "orders.from": DaemonConfiguration.quoted(from),
      "orders.sweep_interval": "1s",
    ]
    try await DaemonFixture.with(settings) { shop in
      try await shop.database.execute("ALTER TABLE orders ALTER total_cents TYPE numeric(12,2)")
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      // The second one's hold ends in twelve seconds.
      try await shop.insert(
        ShopOrder(1, email: "friend1@example.com", total: "50.00", daysAgo: 2),
        ShopOrder(2, email: "friend2@example.com", total: "70.00", daysAgo: 1 - 12 / 86_400.0))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "held"]))
      try await shop.database.execute(
        "ALTER TABLE orders ALTER total_cents TYPE bigint USING (total_cents * 100)::bigint")
      try await shop.insert(ShopOrder(3, email: "friend3@example.com", total: "9000", daysAgo: 2))
      #expect(await eventually(within: .seconds(20)) { shop.log.contains(Self.words) }, "\(shop.log)")
      // The hold's end has passed.
      try await Task.sleep(for: .seconds(14))
      #expect(errors(shop) == 1, "\(shop.log)")
      #expect(try await shop.status().end == .exited(1))
      #expect(await shop.peek()?["3"] == nil)
      try await shop.stop()
      let check = try await shop.run("check")
      #expect(check.end == .exited(1) && check.output.contains(Self.words), "\(check.output)")
      // Nor after a restart.
      try await shop.start()
      #expect(await eventually(within: .seconds(20)) { errors(shop) == 2 }, "\(shop.log)")
      try await Task.sleep(for: .seconds(2))
      #expect(await shop.sandbox.state.reports.count == 1)
      #expect(!shop.log.contains("event=changed_since"))
      try await shop.stop()
      try shop.configure(["orders.total_unit": "cents"])
      try await shop.start()
      // By the row as it was last read the second one has another amount under the new unit: an operator looks first.
      #expect(await shop.reaches(["1": "reported", "2": "held", "3": "reported"]))
      #expect(try await shop.run("queue", "release", "ALL", "--reason", "rules_changed", "--yes").end == .exited(0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      let values = await shop.sandbox.state.converted.map { "\($0.referralID) \($0.conversionValue ?? -1)" }
      #expect(values.sorted() == ["r1 5000", "r2 7000", "r3 9000"])
      #expect(!shop.log.contains("event=changed_since"))
    }
  }

  @Test func aTotalThatOnlyHasRoomForMoreGoesOn() async throws {
    try await DaemonFixture.with { shop in
      try await shop.database.execute("ALTER TABLE orders ALTER total_cents TYPE integer")
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.database.execute("ALTER TABLE orders ALTER total_cents TYPE bigint")
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
    }
  }
}
