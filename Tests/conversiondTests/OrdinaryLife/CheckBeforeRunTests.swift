import Foundation
import TestHosts
import Testing

@testable import conversiond

/// An operator who runs `check` before a start: it fails exactly where the start would be refused, or nothing be read.
@Suite struct CheckBeforeRunTests {
  @Test(arguments: [
    ("orders.rounding", "half_up", true), ("reporting.hold", "1d", true), ("orders.key", "id", true),
    ("orders.key", "'(id, status)'", false), ("orders.from", "nowhere", false), ("orders.total_unit", "null", false),
    ("orders.columns.email", "mail", false), ("orders.columns.placed_at", "status", false),
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
}
