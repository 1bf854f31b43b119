import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The order ID is the order; the key says where its row is.
@Suite struct RetriedCheckoutTests {
  @Test func aFailedCheckoutThatIsDeletedAndMadeAgainIsOneReport() async throws {
    try await DaemonFixture.with(DaemonFixture.numbered) { shop in
      try await shop.number()
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: "bob@example.com"),
        SandboxReferral("r3", email: "eve@example.com"),
      ])
      let unpaid = ShopOrder(1, email: "ana@example.com", total: "2600", status: "payment_pending", daysAgo: 0.1)
      let both = ShopOrder(3, email: "eve@example.com", status: "payment_pending", daysAgo: 0.1)
      try await shop.database.execute(
        DaemonFixture.insertion(unpaid, no: "2026-0001") + DaemonFixture.insertion(both, no: "2026-0003"))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.reaches(["1": "not_qualifying", "3": "not_qualifying"]))
      // In one transaction, in either order, and in two transactions with the new row first.
      let paid = ShopOrder(11, email: "ana@example.com", total: "2600", daysAgo: 0)
      try await shop.database.execute(
        "BEGIN; DELETE FROM orders WHERE id = 1;" + DaemonFixture.insertion(paid, no: "2026-0001") + "COMMIT;")
      let first = ShopOrder(2, email: "bob@example.com", daysAgo: 0)
      try await shop.database.execute(DaemonFixture.insertion(first, no: "2026-0002"))
      #expect(await shop.reaches(["11": "reported", "2": "reported"]))
      // A table that is loaded anew, with other keys: the same order.
      try await shop.database.execute("UPDATE orders SET id = 12 WHERE id = 2; UPDATE orders SET no = no")
      #expect(await shop.reaches(["12": "reported"]))
      // Two that are both there are for a person, until one is gone.
      let second = ShopOrder(13, email: "eve@example.com", daysAgo: 0)
      try await shop.database.execute(DaemonFixture.insertion(second, no: "2026-0003"))
      #expect(await shop.reaches(["3": "not_qualifying", "13": "review: id_repeated"]))
      try await shop.database.execute("DELETE FROM orders WHERE id = 3")
      try await shop.stop()
      try await shop.start()
      #expect(await shop.reaches(["13": "reported"]))
      #expect(Set(try await shop.entries().keys) == ["11", "12", "13"])
      let bodies = await shop.sandbox.state.reportedBodies.sorted()
      #expect(
        bodies == [
          #"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"2026-0002"}"#,
          #"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"2026-0003"}"#,
          #"{"conversionValue":2600,"currency":"EUR","externalTransactionId":"2026-0001"}"#,
        ])
    }
  }

  @Test func aKeyThatIsUsedAgainIsAnotherOrder() async throws {
    try await DaemonFixture.with(DaemonFixture.numbered) { shop in
      try await shop.number()
      try await shop.sandbox.put([
        SandboxReferral("typo", email: "typo@example.com", status: .converted),
        SandboxReferral("right", email: "right@example.com"), SandboxReferral("new3", email: "new3@example.com"),
      ])
      try await shop.database.execute(
        DaemonFixture.insertion(ShopOrder(1, email: "typo@example.com"), no: "A")
          + DaemonFixture.insertion(ShopOrder(2, email: "typo@example.com"), no: "B"))
      try await shop.start()
      #expect(await shop.reaches(["1": "superseded", "2": "superseded"]))
      // The first one's address is corrected; the second is deleted, and its key is used again.
      try await shop.database.execute(
        "UPDATE orders SET customer_email = 'right@example.com' WHERE id = 1; DELETE FROM orders WHERE id = 2;"
          + DaemonFixture.insertion(ShopOrder(2, email: "new3@example.com", total: "300", daysAgo: 0), no: "C"))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "2 (gone, #2)": "cancelled: gone"]))
      let state = await shop.sandbox.state
      #expect(state.referral("right")?.externalTransactionID == "A")
      #expect(state.referral("new3")?.externalTransactionID == "C")
      #expect(state.reports.count == 2)
    }
  }

  @Test func timesThatAMigrationMovesLeaveReportedOrdersReported() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: nil, lead: "lead_2"),
      ])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"), ShopOrder(2, lead: "lead_2"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      try await shop.database.execute(
        "UPDATE orders SET created_at = date_trunc('second', created_at), total_cents = 1001")
      #expect(await eventually { shop.log.contains("order 2 was reported with 10.00 EUR and is 10.01 EUR now") })
      try await shop.database.execute(
        "UPDATE orders SET created_at = created_at - interval '5 hours', total_cents = 1002")
      try await shop.insert(ShopOrder(3))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "waiting"]))
      // Another buyer at another time is another order.
      try await shop.database.execute(
        "UPDATE orders SET created_at = now(), customer_email = 'other@example.com' WHERE id = 1")
      #expect(await shop.reaches(["1": "review: id_reused", "2": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 2)
    }
  }
}
