import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A row is changed before its order is reported, and its referral doesn't match any more.
@Suite struct LostReferralTests {
  private func line(_ shop: DaemonFixture, _ words: String) async -> Substring? {
    _ = await shop.logs(words)
    return shop.log.split(separator: "\n").first { $0.contains(words) }
  }

  @Test func eachOrderIsNamedWithWhatItLost() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      try await shop.sandbox.put(
        (1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") }
          + [SandboxReferral("r4", email: "other@example.com", lead: "lead_4")])
      try await shop.insert((1...3).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(4, email: "friend4@example.com", lead: "lead_4"))
      try await shop.start()
      #expect(await shop.reaches(["1": "held", "2": "held", "3": "held", "4": "held"]))
      try await shop.database.execute(
        """
        UPDATE orders SET customer_email = 'corrected@example.com' WHERE id = 1;
        UPDATE orders SET customer_email = NULL WHERE id = 2;
        UPDATE orders SET customer_email = 'deleted' WHERE id = 3;
        UPDATE orders SET lead_id = NULL WHERE id = 4;
        """)
      #expect(await shop.reaches(["1": "waiting", "2": "waiting", "3": "waiting", "4": "waiting"]))
      let corrected = await line(shop, "order 1's e-mail is another now: referral r1 does not match any more")
      #expect(corrected?.contains("event=rows_missing") == true, "\(shop.log)")
      #expect(corrected?.contains("order=1") == true && corrected?.contains("notice") == true)
      for (order, column) in [(2, "e-mail"), (3, "e-mail"), (4, "external_source_id")] {
        let words = "order \(order) has lost the \(column) by which its referral r\(order) was found"
        let lost = await line(shop, words)
        #expect(lost?.contains("order=\(order)") == true && lost?.contains("warning") == true, "\(shop.log)")
        #expect(lost?.contains("was it anonymised") == true)
      }
      #expect(shop.log.split(separator: "\n").count { $0.contains("event=rows_missing") } == 4)
    }
  }

  @Test func manyAreOneLineThatNamesSome() async throws {
    try await DaemonFixture.with(["reporting.hold": "30d"]) { shop in
      try await shop.sandbox.put((1...9).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...9).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(Dictionary(uniqueKeysWithValues: (1...9).map { ("\($0)", "held") })))
      try await shop.database.execute("UPDATE orders SET customer_email = NULL")
      let many = await line(shop, "9 orders that were to be reported, 1, 2, 3, 4, 5 among them, have lost the e-mail")
      #expect(many != nil, "\(shop.log)")
    }
  }
}
