import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Values of a shop's row or an API's answer that could be taken for something else: a path, a header, SQL, a
/// terminal's command.
@Suite struct HostileValueTests {
  private static let orderIDs = [
    "a\r\nX-API-Key: stolen", "../../admin", "🎈 order/77?x=1#y", String(repeating: "x", count: 4096),
    "\u{1B}]0;owned\u{7}\u{1B}[2J", "\u{9B}31m", "\u{202E}gnp.exe", "'; DROP TABLE orders; --", "%00\\u0000%0d%0a",
    "{\"a\":1}", "\u{FEFF}\u{200B}7",
  ]
  private static let referralIDs = [
    "../../admin", "a/b?x=1#y", "%2e%2e%2fadmin", "r\r\nX-Y: z", "🎈", "..", "\u{1B}[31mred",
    "'; DROP TABLE referrals; --",
  ]

  private struct Body: Decodable {
    let externalTransactionId: String
  }

  /// Returns the characters that a terminal would obey, or a reader not see.
  private func hidden(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.filter { scalar in
      guard scalar != "\n" else { return false }
      return switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: true
      default: false
      }
    }
  }

  private func expectPlain(_ shop: DaemonFixture) async throws {
    var printed = shop.log + shop.output
    for words in [["status"], ["queue", "list", "--state", "ALL"], ["check"]] {
      for option in [[], ["--json"]] {
        let result = try await shop.run(words + option + ["--config", shop.configurationFile])
        printed += result.output + result.errors
      }
    }
    for entry in try await shop.entries().values {
      printed += try await shop.run("queue", "show", "#\(entry.id)").output
      printed += try await shop.run("queue", "show", "--json", "#\(entry.id)").output
    }
    #expect(hidden(printed).isEmpty)
  }

  @Test func orderIDsAreSentAsTheyAreOrRefusedAndNeverStopTheOthers() async throws {
    try await DaemonFixture.with([
      "orders.key": "id", "orders.columns.id": "lead_id", "orders.columns.external_source_id": nil,
    ]) { shop in
      let ids = Self.orderIDs + ["plain"]
      try await shop.sandbox.put(ids.indices.map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ids.indices.map { ShopOrder($0, email: "friend\($0)@example.com", lead: ids[$0]) })
      try await shop.start()
      #expect(await shop.reaches([String(ids.count - 1): "reported"]))
      #expect(
        await eventually(within: .seconds(30)) {
          await shop.peek()?.values.allSatisfy { ["reported", "review"].contains($0.state) } == true
        })
      let entries = try await shop.entries()
      #expect(entries.count == ids.count)
      for report in await shop.sandbox.state.reports {
        let body = try JSONDecoder().decode(Body.self, from: Data(report.body))
        let index = try #require(ids.indices.first { report.path == "/api/v1/partners/referrals/r\($0)/convert" })
        // Foundation leaves out a byte order mark.
        let isWhole = Data(report.body).range(of: Data(ids[index].utf8)) != nil
        #expect(isWhole || body.externalTransactionId.utf8.elementsEqual(ids[index].utf8), "\(index)")
        #expect(entries[String(index)]?.state == "reported")
      }
      // Control characters could forge a line in a log; 4 KiB are no order's ID.
      for index in [0, 3, 4, 5] { #expect(entries[String(index)]?.state == "review", "\(index)") }
      for index in [1, 2, 7, 8, 9] { #expect(entries[String(index)]?.state == "reported", "\(index)") }
      try await expectPlain(shop)
      #expect(try await shop.database.execute("SELECT count(*) FROM orders") == String(ids.count))
    }
  }

  @Test func referralIDsStayOneSegmentOfAPath() async throws {
    try await DaemonFixture.with { shop in
      let ids = Self.referralIDs + ["plain"]
      try await shop.sandbox.put(
        ids.enumerated().map { SandboxReferral($1, email: "friend\($0)@example.com", lead: "lead\u{1B}[2J\($0)") })
      try await shop.insert(ids.indices.map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      for index in ids.indices where ids[index] != ".." {
        #expect(await shop.reaches([String(index): "reported"]), "\(ids[index])")
      }
      let prefix = "/api/v1/partners/referrals"
      for request in await shop.sandbox.state.requests {
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
        #expect(request.path.hasPrefix(prefix) && segments.count <= 7 && !segments.contains(".."))
      }
      #expect(await shop.sandbox.state.counters.converted == ids.count - 1)
      // No URL can hold it: it is refused before anything is sent.
      let refused = String(ids.firstIndex(of: "..") ?? 0)
      #expect(try await shop.states()[refused] == "review: rejected")
      let entry = try await shop.entry(refused)
      #expect(entry?.attempts == 0 && entry?.sends?.isEmpty != false)
      try await expectPlain(shop)
    }
  }

  @Test func timesAndAmountsThatNoOrderHasAreThatRowsAlone() async throws {
    try await DaemonFixture.with { shop in
      let totals = ["'NaN'", "1e40", "-1e40", "0.5", "'NaN'"]
      try await shop.sandbox.put((1...10).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(
        totals.enumerated().map { ShopOrder($0 + 1, email: "friend\($0 + 1)@example.com", total: $1) })
      try await shop.insert((6...10).map { ShopOrder($0, email: "friend\($0)@example.com") })
      for (key, time) in [(6, "infinity"), (7, "-infinity"), (8, "20000-01-01"), (9, "4713-01-01 BC")] {
        try await shop.database.execute("UPDATE orders SET created_at = '\(time)' WHERE id = \(key)")
      }
      try await shop.start()
      #expect(await shop.reaches(["10": "reported"]))
      let states = try await shop.states()
      for key in 1...5 { #expect(states[String(key)] == "review: invalid_amount") }
      for key in 6...9 { #expect(states[String(key)] != "reported" && states[String(key)] != "queued", "\(states)") }
      #expect(await shop.sandbox.state.reports.count == 1)
      print("times that no order has: \((6...9).map { states[String($0)] ?? "counted" })")
      try await expectPlain(shop)
    }
  }
}
