import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct ChangesAfterReportTests {
  @Test func refundsAndOtherAmountsAreCountedAndNamedUntilTheyAreTakenBack() async throws {
    try await DaemonFixture.with { shop in
      let friends = (1...3).map { "friend\($0)@example.com" }
      try await shop.sandbox.put(friends.enumerated().map { SandboxReferral("r\($0 + 1)", email: $1) })
      try await shop.insert(friends.enumerated().map { ShopOrder($0 + 1, email: $1) })
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      #expect(try await shop.status().report.changedSince == [:])
      try await shop.database.execute(
        """
        UPDATE orders SET status = 'refunded' WHERE id = 1; UPDATE orders SET total_cents = 250 WHERE id = 2;
        UPDATE orders SET currency = 'USD' WHERE id = 3;
        """)
      #expect(
        await eventually {
          (try? await shop.status().report.changedSince) == ["cancelled_since": 1, "amount_changed": 2]
        })
      #expect(
        await shop.logs(
          "order 1 was reported with 10.00 EUR and does not qualify any more: its status is refunded: correct it"),
        "\(shop.log)")
      #expect(await shop.logs("order 2 was reported with 10.00 EUR and is 2.50 EUR now: correct it"), "\(shop.log)")
      #expect(await shop.logs("order 3 was reported with 10.00 EUR and is no amount to report now"), "\(shop.log)")
      let screen = try await shop.run("status").output
      #expect(screen.contains("changed after the report: 2 amount_changed, 1 cancelled_since"))
      #expect(screen.contains("  conversiond queue list --state reported --reason cancelled_since\n"))
      #expect(
        shop.log.contains(#/warning: order 1 was reported/#) || shop.log.contains(#/warning .*order 1 was reported/#))
      #expect(try await Self.listed(shop, "cancelled_since") == ["1"])
      #expect(try await Self.listed(shop, "amount_changed") == ["2", "3"])
      let shown = try await shop.run("queue", "show", "2").output
      #expect(shown.contains("amount_changed: 1000 cents reported, 250 cents now; correct it"), "\(shown)")
      #expect(try await shop.run("queue", "show", "3").output.contains("amount_changed: correct it"))
      #expect(try await shop.status().end == .exited(1))
      #expect(try await shop.entry("2")?.changedSince == "amount_changed")
      try await shop.database.execute("UPDATE orders SET status = 'paid', total_cents = 1000, currency = 'EUR'")
      #expect(await eventually { (try? await shop.status().report.changedSince) == [:] })
      #expect(try await shop.status().end == .exited(0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 3)
    }
  }

  private static func listed(_ shop: DaemonFixture, _ reason: String) async throws -> [Substring] {
    let list = try await shop.run("queue", "list", "--state", "reported", "--reason", reason)
    return list.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ")[2] }
  }

  @Test func deletedAndLeftOutOrdersAreToldAsCancelledAtTheDailyLook() async throws {
    try await DaemonFixture.with { shop in
      try await shop.database.execute("ALTER TABLE orders ADD COLUMN deleted_at timestamptz")
      try shop.configure(["orders.where": "deleted_at IS NULL"])
      let friends = (1...30).map { "friend\($0)@example.com" }
      try await shop.sandbox.put(friends.enumerated().map { SandboxReferral("r\($0 + 1)", email: $1) })
      try await shop.insert(friends.enumerated().map { ShopOrder($0 + 1, email: $1) })
      try await shop.start()
      let reported = Dictionary(uniqueKeysWithValues: (1...30).map { ("\($0)", "reported") })
      #expect(await shop.reaches(reported))
      #expect(try await shop.stop() == .exited(0))
      try await shop.database.execute(
        "UPDATE orders SET deleted_at = now() WHERE id = 1; DELETE FROM orders WHERE id = 2;")
      try await shop.start()
      #expect(await eventually { (try? await shop.status().report.changedSince) == ["cancelled_since": 2] })
      #expect(
        await shop.logs("order 1 was reported with 10.00 EUR and is left out by orders.where now: correct it"),
        "\(shop.log)")
      #expect(
        await shop.logs("order 2 was reported with 10.00 EUR and has no row any more: correct it"), "\(shop.log)")
      #expect(try await shop.stop() == .exited(0))

      // Counts no order as cancelled of a dozen that an archive job takes away; one that comes back is taken back.
      try await shop.database.execute(
        "UPDATE orders SET deleted_at = NULL; DELETE FROM orders WHERE id BETWEEN 11 AND 20;")
      try await shop.start()
      #expect(await eventually { (try? await shop.status().report.changedSince) == ["cancelled_since": 1] })
      #expect(await shop.logs("10 of 29 orders that were reported in the last 60 days have no row any more"))
      #expect(try await shop.status().report.changedSince == ["cancelled_since": 1])
      #expect(await shop.sandbox.state.reports.count == 30)
      #expect(await shop.logs("taken for archived: 11, 12, 13, 14, 15 and others"), "\(shop.log)")
      #expect(try await shop.stop() == .exited(0))
      // One more is judged by itself, and not with those.
      try await shop.database.execute("DELETE FROM orders WHERE id = 25")
      try await shop.start()
      #expect(await eventually { (try? await shop.status().report.changedSince) == ["cancelled_since": 2] })
      #expect(await shop.logs("order 25 was reported with 10.00 EUR and has no row any more"), "\(shop.log)")
    }
  }
}
