import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A partner whose other program reports, too: it has converted the referrals of three weeks of orders.
@Suite struct OthersConversionsTests {
  private static let count = 20_000
  private static let open = 4000
  private static let readsPerMinute = 120

  @Test(.timeLimit(.minutes(20))) func twentyThousandOrdersAreSupersededWithinTheReadsThatThereAre() async throws {
    let settings: [String: String?] = ["api.reads_per_minute": nil, "log.level": "info"]
    try await DaemonFixture.with(settings) { shop in
      try await shop.sandbox.put(
        (1...Self.count).map { Self.converted($0) }
          + (1...Self.open).map {
            SandboxReferral("o\($0)", email: "open\($0)@example.com", daysAgo: 30 + Double($0) / 100)
          })
      try await shop.start()
      #expect(await eventually(within: .seconds(600), every: .seconds(1)) { shop.log.contains("caught up") })

      try await shop.database.execute(
        """
        INSERT INTO orders SELECT i, 'friend' || i || '@example.com', NULL, NULL, 1000, 'EUR', 'paid',
          now() - interval '1 day' FROM generate_series(1, \(Self.count)) i
        """)
      let began = await shop.sandbox.state.counters.requests
      // A walk of the open ones takes 40 pages, at half of the reads: it is under way.
      #expect(await eventually(within: .seconds(60)) { await Self.openWalkPages(shop, since: began) >= 15 })
      try await shop.stop()
      try shop.configure(["matching.choose": "last"])
      try await shop.start()
      #expect(
        await eventually(within: .seconds(600), every: .seconds(2)) { (try? await Self.superseded(shop)) == Self.count }
      )
      let pages = await Self.openWalkPages(shop, since: began)
      print(
        "others: \(pages) pages of open referrals were read, \(await Self.busiest(shop)) reads in the busiest minute")
      #expect(pages <= 3 * Self.open / 100)
      #expect(await Self.busiest(shop) <= Self.readsPerMinute + 1)
      #expect(await Self.longestWithoutYoung(shop, since: began) < 90)
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  /// Converted by another program at a time of its own, within three weeks.
  private static func converted(_ number: Int) -> SandboxReferral {
    var referral = SandboxReferral(
      "r\(number)", email: "friend\(number)@example.com", status: .converted, daysAgo: 30 + Double(number) / 1000)
    referral.convertedAt = referral.convertedAt.map { $0 - Int64(number) * 90_000 }
    return referral
  }

  /// The pages of walks over all open referrals that were read.
  private static func openWalkPages(_ shop: DaemonFixture, since number: Int) async -> Int {
    await shop.sandbox.state.requests.count {
      $0.number > number && $0.target.contains("status=pending") && !$0.target.contains("search=")
        && $0.target.contains("pageSize=100")
    }
  }

  private static func superseded(_ shop: DaemonFixture) async throws -> Int {
    try await shop.status().report.outcomes.first { $0.outcome == "superseded" }?.count ?? 0
  }

  /// The most reads of any 60 seconds.
  private static func busiest(_ shop: DaemonFixture) async -> Int {
    let times = await shop.sandbox.state.requests.map { $0.arrival.wallMilliseconds }
    var (most, first) = (0, 0)
    for last in times.indices {
      while times[last] - times[first] > 60_000 { first += 1 }
      most = max(most, last - first + 1)
    }
    return most
  }

  /// The longest time without a look at the newest referrals, in seconds.
  private static func longestWithoutYoung(_ shop: DaemonFixture, since number: Int) async -> Int {
    let records = await shop.sandbox.state.requests.filter { $0.number > number }
    let young = records.filter { record in
      guard let from = record.target.firstRange(of: "dateFrom=") else { return false }
      let time = Int64(record.target[from.upperBound...].prefix { $0.isNumber }) ?? 0
      return record.arrival.wallMilliseconds - time < 3_600_000
    }.map { $0.arrival.wallMilliseconds }
    let gaps = zip(young, young.dropFirst()).map { $1 - $0 }
    return Int((gaps.max() ?? .max / 2) / 1000)
  }
}
