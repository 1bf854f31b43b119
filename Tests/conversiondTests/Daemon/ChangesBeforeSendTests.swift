import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Changes of an order between the queue and its send. The first order's answer is late, so that the second one waits
/// in the queue; the shop is polled once, so that only the look before the send can notice.
@Suite struct ChangesBeforeSendTests {
  private func withQueuedOrder(
    pollInterval: String = "3600s", delay: Duration = .seconds(3), _ body: (DaemonFixture) async throws -> Void
  ) async throws {
    try await DaemonFixture.with(["orders.poll_interval": pollInterval]) { shop in
      try await shop.sandbox.put([
        SandboxReferral("first", email: "first@example.com"), SandboxReferral("second", email: "second@example.com"),
      ])
      try await shop.insert(ShopOrder(1, email: "first@example.com"), ShopOrder(2, email: "second@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.delay(delay), on: .conversions))
      try await shop.start()
      #expect(await shop.reaches(["1": "sending", "2": "queued"]))
      try await body(shop)
    }
  }

  @Test func anOrderCancelledBeforeItsSendIsNeverReported() async throws {
    try await withQueuedOrder { shop in
      try await shop.database.execute("UPDATE orders SET status = 'refunded' WHERE id = 2")
      #expect(await shop.reaches(["1": "reported", "2": "cancelled: no_longer_qualifies"]))
      #expect(await shop.sandbox.state.reports.count == 1)
    }
  }

  @Test func anOrderThatIntakeSeesCancelledLeavesTheQueue() async throws {
    try await withQueuedOrder(pollInterval: "200ms", delay: .seconds(12)) { shop in
      try await shop.database.execute("UPDATE orders SET status = 'refunded' WHERE id = 2")
      #expect(await shop.reaches(["1": "sending", "2": "cancelled: no_longer_qualifies"]))
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.sandbox.state.reports.count == 1)
    }
  }

  @Test func anOrderDeletedBeforeItsSendIsNeverReported() async throws {
    try await withQueuedOrder { shop in
      try await shop.database.execute("DELETE FROM orders WHERE id = 2")
      #expect(await shop.reaches(["1": "reported", "2": "cancelled: gone"]))
      #expect(await shop.sandbox.state.reports.count == 1)
    }
  }

  @Test func anOrderChangedBeforeItsSendIsReportedAsItIsNow() async throws {
    try await withQueuedOrder { shop in
      try await shop.database.execute("UPDATE orders SET total_cents = 4321 WHERE id = 2")
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      #expect(await shop.sandbox.state.referral("second")?.conversionValue == 4321)
    }
  }

  @Test func anOrderCancelledAfterAnUnknownOutcomeIsWhatTheAPIsays() async throws {
    try await DaemonFixture.with(["api.timeout": "1s"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.hang(afterWork: true), on: .conversions))
      try await shop.start()
      #expect(await eventually(within: .seconds(20)) { await shop.sandbox.state.converted.count == 1 })
      try await shop.database.execute("UPDATE orders SET status = 'refunded', total_cents = 1")
      #expect(await shop.reaches(["1": "reported"]))
      let entry = try await shop.entry("1")
      #expect(entry?.detail?.contains("correct it in the partner dashboard") == true)
      #expect(entry?.valueCents == 1000)
      #expect(await shop.sandbox.state.reports.count == 1)
    }
  }

  @Test func theSameBytesAreSentAgainAlthoughTheOrderChanged() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.answer(SandboxAnswer(500)), on: .conversions, times: 2))
      try await shop.start()
      #expect(await eventually(within: .seconds(20)) { await !shop.sandbox.state.reports.isEmpty })
      try await shop.database.execute("UPDATE orders SET total_cents = 7777, customer_email = 'other@example.com'")
      #expect(await shop.reaches(["1": "reported"]))
      let bodies = await shop.sandbox.state.reportedBodies
      #expect(bodies.count == 3)
      #expect(Set(bodies) == [#"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"1"}"#])
    }
  }
}
