import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The vendor's bulk import: tens of thousands of referrals of one `createdAt`, more than a run of the daemon reads.
@Suite struct BulkImportTests {
  /// The highest page that was asked for behind a request, of lists in pages.
  private func page(_ shop: DaemonFixture, since number: Int) async -> Int {
    await shop.sandbox.state.requests.filter { $0.number > number }.compactMap { record in
      record.target.firstRange(of: "page=").flatMap { Int(record.target[$0.upperBound...].prefix { $0.isNumber }) }
    }.max() ?? 0
  }

  @Test(.timeLimit(.minutes(8))) func aRestartGoesOnWithinTheInstant() async throws {
    try await DaemonFixture.with(["api.reads_per_minute": "120", "log.level": "info"]) { shop in
      var referrals = (1...32_000).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") }
      let created = referrals[0].createdAt
      for index in referrals.indices { referrals[index].createdAt = created }
      try await shop.sandbox.put(referrals)
      var reached = 0
      for _ in 1...2 {
        let number = await shop.sandbox.state.counters.requests
        try await shop.start()
        // Its place is stored once a minute.
        try await Task.sleep(for: .seconds(75))
        let page = await page(shop, since: number)
        #expect(page > reached + 60, "reached page \(page) after \(reached)")
        reached = page
        try await shop.stop()
      }
      print("bulk import: a second run of 75 s reached page \(reached) of 320")
    }
  }
}
