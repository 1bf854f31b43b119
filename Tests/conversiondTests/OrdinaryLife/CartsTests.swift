import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct CartsTests {
  @Test(arguments: ["orders", "seen_orders"])
  func cartsLeaveNoLineAndNoReviewAndAreReportedOnceTheyArePaid(from: String) async throws {
    try await DaemonFixture.with(["orders.from": from]) { shop in
      try await shop.sandbox.put([SandboxReferral("r7", email: "friend7@example.com")])
      try await shop.database.execute(
        """
        ALTER TABLE orders ALTER created_at DROP NOT NULL;
        CREATE VIEW seen_orders AS SELECT * FROM orders;
        INSERT INTO orders SELECT i, 'friend' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'cart', NULL
        FROM generate_series(1, 300) i;
        """)
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.peek()?.isEmpty == true)
      try await shop.database.execute("UPDATE orders SET status = 'paid', created_at = now() WHERE id = 7")
      #expect(await shop.reaches(["7": "reported"]))
      #expect(await shop.peek()?.count == 1)
      #expect(!shop.log.contains("event=review") && !shop.log.contains("unreadable"))
    }
  }
}
