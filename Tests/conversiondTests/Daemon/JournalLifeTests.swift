import Foundation
import PartnersSandbox
import Systemd
import TestHosts
import Testing

@testable import conversiond

/// The entries of a daemon's life, as journald gets them.
@Suite(.enabled(if: PrivateDisk.isPermitted, "mounting is not permitted here")) struct JournalLifeTests {
  /// Expects each entry of an event to have its ID and every field that the catalog promises.
  private func expectWhole(_ entries: [[String: String]]) {
    for entry in entries {
      guard let name = entry["CONVERSIOND_EVENT"] else { continue }
      #expect(entry["MESSAGE_ID"] == EventCatalog.messageID(of: name), "\(name)")
      let event = EventCatalog.events.first { $0.name == name }
      let missing = event?.fields.filter { entry[$0] == nil } ?? ["an explanation"]
      #expect(missing.isEmpty, "\(name) lacks \(missing): \(entry["MESSAGE"] ?? "")")
    }
  }

  @Test func eachEntryHasTheFieldsThatTheCatalogPromises() async throws {
    try await DaemonFixture.with { shop in
      let folder = try TemporaryFolder("journal")
      let journal = try PrivateJournal(in: folder.path)
      func told(_ events: String..., within seconds: Int = 60) async -> Bool {
        await eventually(within: .seconds(seconds), every: .milliseconds(100)) {
          events.allSatisfy { !journal.entries(of: $0).isEmpty }
        }
      }
      try await shop.sandbox.put((1...4).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(
        [
          ShopOrder(1, email: "friend1@example.com", total: "1234"),
          ShopOrder(2, email: "friend2@example.com", currency: "USD"),
          ShopOrder(3, email: "friend3@example.com", status: "pending"), ShopOrder(4, email: "none@example.com"),
        ])
      let daemon = try shop.launch(prefix: journal.prefix)
      #expect(await told("started", "following", "queued", "reported", "review", "decided", "caught_up"))
      // A person sees to the one in review; an operator holds the next, and the table goes away meanwhile.
      try await shop.database.execute("UPDATE orders SET currency = 'EUR' WHERE id = 2")
      #expect(await shop.reaches(["2": "reported"]))
      #expect(try await shop.run("queue", "hold", "4", "--yes").end == .exited(0))
      #expect(await told("operator"))
      try await shop.database.execute("ALTER TABLE orders RENAME TO gone")
      #expect(await told("poll_failed"))
      try await shop.database.execute("ALTER TABLE gone RENAME TO orders")
      #expect(await told("poll_recovered"))
      await shop.sandbox.setKeys(["oft_00000000000000000000000000000000": SandboxConfiguration.defaultPartner])
      #expect(await told("api_halted"))
      daemon.signal(SIGTERM)
      #expect(try await daemon.wait() == .exited(0))
      #expect(await told("stopped"))
      expectWhole(journal.entries)
      let story = journal.entries.filter { $0["CONVERSIOND_ORDER"] == "1" }
      let last = try #require(story.last)
      #expect(last["CONVERSIOND_EVENT"] == "reported" && last["PRIORITY"] == "6")
      #expect(last["CONVERSIOND_VALUE"] == "1234" && last["CONVERSIOND_CURRENCY"] == "EUR")
      #expect(last["CONVERSIOND_REFERRAL"] == "r1" && last["MESSAGE"]?.contains("12.34 EUR") == true)
      let second = journal.entries.filter { $0["CONVERSIOND_ORDER"] == "2" }
      let review = try #require(second.first { $0["CONVERSIOND_EVENT"] == "review" })
      #expect(review["PRIORITY"] == "3" && review["CONVERSIOND_REASON"] == "other_currency")
      #expect(review["CONVERSIOND_VALUE"] == "1000" && review["CONVERSIOND_CURRENCY"] == "USD")
      #expect(review["MESSAGE"]?.hasPrefix("order 2 needs a person: ") == true)
      #expect(second.contains { $0["MESSAGE"]?.contains("before: review, other_currency") == true }, "review left")
      #expect(daemon.standardError.isEmpty)
    }
  }
}
