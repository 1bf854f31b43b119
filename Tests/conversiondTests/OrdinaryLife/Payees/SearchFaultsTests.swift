import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A search of the API's that does not do what it should: the right referral is paid all the same, some time later.
@Suite struct SearchFaultsTests {
  @Test(arguments: ["names", "nothing", "words", "slow", "status:400", "status:500", "omits:other,ana"])
  func theRightReferralIsPaidWhateverTheSearchDoes(mode: String) async throws {
    try await DaemonFixture.with { shop in
      let search = try #require(SandboxSearch(mode))
      await shop.sandbox.setSearch(search)
      var referrals = [
        SandboxReferral("ana", email: "ana@example.com", daysAgo: 20),
        SandboxReferral("other", email: "other@example.com", daysAgo: 40),
        SandboxReferral("click", email: nil, status: .clicked, daysAgo: 20),
        SandboxReferral("bob", email: "bob@example.com", daysAgo: 5),
      ]
      // More that have a word in common with an address than a page holds.
      referrals += (1...120).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com", daysAgo: 60) }
      try await shop.sandbox.put(referrals)
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.sandbox.change("other") { $0.externalSourceID = "lead_9" }
      try await shop.sandbox.change("click") { ($0.status, $0.friendEmail) = (.pending, "bob@example.com") }
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com", lead: "lead_9", daysAgo: 0),
        ShopOrder(2, email: "bob@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported", "2": "reported"], within: .seconds(90)))
      let state = await shop.sandbox.state
      #expect(state.referral("other")?.externalTransactionID == "1")
      #expect(state.referral("click")?.externalTransactionID == "2")
      #expect(state.reports.count == 2)
      #expect(state.referral("ana")?.status == .pending && state.referral("bob")?.status == .pending)
    }
  }

  /// Every friend has a word in common with the order's keys: the right one is on page 40 of 120.
  @Test func thousandsOfHitsAreReadToTheRightOne() async throws {
    try await DaemonFixture.with { shop in
      await shop.sandbox.setSearch(.words)
      try await shop.sandbox.put(
        (1...12_000).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com", daysAgo: 2 + Double($0) / 200) })
      try await shop.start()
      #expect(await eventually(within: .seconds(200), every: .milliseconds(200)) { shop.log.contains("caught up") })
      try await shop.sandbox.change("r4000") { $0.externalSourceID = "lead_9" }
      try await shop.insert(ShopOrder(1, email: "friend1@example.com", lead: "lead_9", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported"], within: .seconds(200)))
      let state = await shop.sandbox.state
      #expect(state.referral("r4000")?.externalTransactionID == "1")
      #expect(state.reports.count == 1)
    }
  }
}
