import Foundation
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

  /// Returns the daemon's memory once a shop's table was read, the most while it was, and the ledger's size.
  private func footprint(carts: Int) async throws -> (kibibytes: Int, peak: Int, ledger: Int) {
    var result = (kibibytes: 0, peak: 0, ledger: 0)
    try await DaemonFixture.with(["orders.sweep_interval": "1s", "log.level": "info"]) { shop in
      try await shop.sandbox.put((1...500).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.database.execute(
        """
        ALTER TABLE orders ALTER created_at DROP NOT NULL;
        INSERT INTO orders SELECT i, 'friend' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'paid', now()
        FROM generate_series(1, 500) i;
        INSERT INTO orders SELECT i, 'cart' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'cart', NULL
        FROM generate_series(1001, 1000 + \(carts)) i;
        """)
      let daemon = try await shop.start()
      #expect(await eventually(within: .seconds(120)) { shop.log.contains("caught up") })
      #expect(
        await eventually(within: .seconds(120)) { await shop.sandbox.state.counters.converted == 500 })
      try await Task.sleep(for: .seconds(8))
      let usage = try ProcessUsage(daemon.pid)
      (result.kibibytes, result.peak) = (usage.residentKiB, usage.peakResidentKiB)
      try await shop.stop()
      result.ledger =
        try FileManager.default.attributesOfItem(atPath: shop.ledgerFile)[.size] as? Int ?? 0
    }
    return result
  }

  @Test(.timeLimit(.minutes(6))) func aHundredThousandCartsCostNothing() async throws {
    let (none, many) = (try await footprint(carts: 0), try await footprint(carts: 100_000))
    for (words, use) in [("none", none), ("100,000", many)] {
      print("carts: \(words): \(use.kibibytes) KiB, \(use.peak) at most, and a ledger of \(use.ledger) bytes")
    }
    #expect(Double(many.kibibytes) <= Double(none.kibibytes) * 1.05)
    // One page of the table is in memory at a time, whatever is in it.
    #expect(many.peak <= none.peak + 8192)
    #expect(Double(many.ledger) <= Double(none.ledger) * 1.05)
  }
}
