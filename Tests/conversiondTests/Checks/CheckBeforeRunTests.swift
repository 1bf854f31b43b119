import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// An operator who runs `check` before a start: it fails exactly where the start would be refused, or nothing be read.
@Suite struct CheckBeforeRunTests {
  @Test(arguments: [
    ("orders.rounding", "half_up", true), ("reporting.hold", "1d", true), ("orders.key", "id", true),
    ("orders.key", "'(id, status)'", false), ("orders.from", "nowhere", false), ("orders.total_unit", "null", false),
    ("orders.columns.email", "mail", false), ("orders.columns.placed_at", "status", false),
    ("orders.columns.email", "\"to_jsonb(orders) -> 'customer_email'\"", false),
    ("orders.columns.email", "\"to_jsonb(orders) ->> 'customer_email'\"", true),
    ("orders.time_zone", "Europe/Berlin", true), ("ledger.location", "sqlite:/nonexistent/ledger.sqlite", false),
    ("api.key_file", "/nonexistent/api-key", false), ("orders.connection", "'host=/nonexistent dbname=x'", false),
  ])
  func checkFailsWhereAStartWouldNotWork(path: String, value: String, works: Bool) async throws {
    try await DaemonFixture.with([path: value]) { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      let check = try await shop.run("check")
      let daemon = try shop.launch()
      let isDecided = await eventually(within: .seconds(30)) {
        daemon.end != nil || shop.log.contains("orders are followed by") || shop.log.contains("reading orders failed")
      }
      #expect(isDecided)
      let runs = daemon.end == nil && shop.log.contains("orders are followed by")
      #expect(runs == works, "\(shop.log)")
      #expect((check.end == .exited(0)) == works, "\(check.output)\(check.errors)")
    }
  }

  @Test func aLedgerOfAnotherMappingIsSaidByBoth() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop()
      try shop.configure(["orders.key": "'id::text'"])
      let check = try await shop.run("check")
      let daemon = try shop.launch()
      #expect(try await daemon.wait() == .exited(78))
      #expect(check.end == .exited(1) && check.output.contains(#/FAIL +ledger/#), "\(check.output)")
    }
  }

  /// The daemon goes on with what it has; the restart would be refused.
  @Test(arguments: [
    ("orders.from", "'orders o'"), ("orders.columns.id", #""'s2-' || id""#),
    ("api.base_url", "'http://127.0.0.1:9/v1'"),
    ("orders.from", "shop2.orders"), ("orders.key", "'id::text'"),
  ])
  func aLedgerOfAnotherSourceIsSaidBeforeARestart(path: String, value: String) async throws {
    try await DaemonFixture.with(["orders.key": "id"]) { shop in
      try await shop.database.execute("CREATE SCHEMA shop2; CREATE TABLE shop2.orders (LIKE orders INCLUDING ALL)")
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      #expect(try await shop.run("check").end == .exited(0))
      try shop.configure([path: value])
      let running = try await shop.run("check")
      try await shop.stop()
      let stopped = try await shop.run("check")
      let daemon = try shop.launch()
      #expect(try await daemon.wait() == .exited(78))
      let refusal = String(daemon.standardError.split(separator: "\n").last ?? "").replacing("conversiond: ", with: "")
      #expect(refusal.contains("conversiond accept-mapping"))
      for check in [running, stopped] {
        #expect(check.end == .exited(1) && check.output.contains(#/FAIL +ledger/#), "\(check.output)")
        #expect(check.output.contains(refusal), "\(refusal)\n\(check.output)")
      }
    }
  }

  @Test func anAPIThatKnowsNoneOfTheLedgersReferralsIsSaidByBoth() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...2).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      try await shop.stop()
      #expect(try await shop.run("check").end == .exited(0))
      for number in 1...3 { try await shop.sandbox.delete("r\(number)") }
      try await shop.sandbox.put([SandboxReferral("x", email: "stranger@example.com")])
      let check = try await shop.run("check")
      #expect(check.end == .exited(1) && check.output.contains("knows none of the referrals"), "\(check.output)")
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      try await shop.start()
      #expect(await eventually(within: .seconds(30)) { shop.log.contains("reason=account_changed") })
    }
  }

  @Test func aStartThatLiesAheadIsWarnedOf() async throws {
    try await DaemonFixture.with(["orders.start": "2099-01-01"]) { shop in
      let check = try await shop.run("check")
      #expect(check.end == .exited(0) && check.output.contains("no order placed before 2099-01-01"), "\(check.output)")
    }
  }

  /// Carts get their number once they are paid.
  @Test func cartsWithoutANumberAreNoFault() async throws {
    try await DaemonFixture.with(["orders.columns.id": "no", "orders.key": "id"]) { shop in
      try await shop.database.execute(
        """
        ALTER TABLE orders ADD no text;
        INSERT INTO orders SELECT i, 'friend' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'cart', now()
        FROM generate_series(1, 300) i;
        UPDATE orders SET status = 'paid', no = 'F-7' WHERE id = 7
        """)
      try await shop.sandbox.put([SandboxReferral("r7", email: "friend7@example.com")])
      let check = try await shop.run("check")
      #expect(check.end == .exited(0), "\(check.output)")
      try await shop.start()
      #expect(await shop.reaches(["7": "reported"]))
      #expect(!shop.log.contains("event=review"))
    }
  }
}
