import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A ledger of an earlier day is put back: what was reported since then is known to the API alone.
@Suite struct RestoredLedgerTests {
  @Test func ourOwnConversionsSinceTheBackupAreReportedAndNothingIsPostedToFindOut() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      try await shop.sandbox.put((1...5).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      // Another program's, from before the backup, with the same value.
      try await shop.sandbox.change("r4") {
        ($0.status, $0.convertedAt, $0.conversionValue) = (.converted, Self.now - 3_600_000, 1000)
      }
      try await shop.insert((1...4).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "held", "3": "held"]))
      try await shop.stop()
      try Self.copy(shop, from: "state", to: "backup")

      try shop.configure(["reporting.hold": "0s"])
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported", "4": "superseded"]))
      try await shop.stop()
      // The partner took one back in the dashboard, which another program reported with another value.
      try await shop.sandbox.change("r3") { ($0.convertedAt, $0.conversionValue) = (Self.now, 777) }

      try FileManager.default.removeItem(atPath: shop.folder.path("state"))
      try Self.copy(shop, from: "backup", to: "state")
      try await shop.insert(ShopOrder(5, email: "friend5@example.com"))
      let before = await shop.sandbox.state.reports.count
      try await shop.start()
      #expect(
        await shop.reaches([
          "1": "reported", "2": "reported", "3": "superseded", "4": "superseded", "5": "reported",
        ]))
      #expect(await shop.sandbox.state.reports.count == before + 1, "the new order's alone")
      for number in 1...2 {
        let words = "order \(number) counts as reported: the API has it for referral r\(number) with our value"
        #expect(await shop.logs(words), "\(shop.log)")
        let line = shop.log.split(separator: "\n").first { $0.contains(words) }
        #expect(line?.contains("event=reported") == true && line?.contains("reason=evidence_api") == true)
        #expect(line?.contains("notice") == true && line?.contains("order=\(number)") == true)
      }
      #expect(shop.log.split(separator: "\n").count { $0.contains("or is a copy that was put back") } == 1)
      let evidence = try await shop.entry("1")
      #expect(evidence?.reason == "evidence_api", "\(evidence?.reason ?? "-"): \(evidence?.detail ?? "-")")
      // Changes are told of these as of any report.
      try await shop.database.execute("UPDATE orders SET status = 'refunded' WHERE id = 1")
      try await shop.database.execute("UPDATE orders SET total_cents = 1 WHERE id = 2")
      #expect(await shop.logs("order 1 was reported with 10.00 EUR and does not qualify any more"), "\(shop.log)")
      #expect(await shop.logs("order 2 was reported with 10.00 EUR and is 0.01 EUR now"), "\(shop.log)")
    }
  }

  private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

  private static func copy(_ shop: DaemonFixture, from: String, to: String) throws {
    try FileManager.default.copyItem(atPath: shop.folder.path(from), toPath: shop.folder.path(to))
  }
}
