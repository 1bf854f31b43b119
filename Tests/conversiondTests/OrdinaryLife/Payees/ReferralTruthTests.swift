import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Referrals of which a list says something else than their GET, or that are no longer there.
@Suite struct ReferralTruthTests {
  @Test func aListThatSaysPendingOfAConvertedReferralPaysNobody() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("ana", email: "ana@example.com"), SandboxReferral("ben", email: "ben@example.com"),
      ])
      try await shop.sandbox.setListed("ana")
      try await shop.sandbox.change("ana") { referral in
        (referral.status, referral.externalTransactionID, referral.conversionValue) = (.converted, "other", 1)
      }
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.insert(ShopOrder(1, email: "ana@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "superseded"], within: .seconds(60)))
      // The list still says it of the next order; others go on.
      try await shop.insert(
        ShopOrder(2, email: "ana@example.com", daysAgo: 0), ShopOrder(3, email: "ben@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "superseded", "2": "superseded", "3": "reported"], within: .seconds(60)))
      let state = await shop.sandbox.state
      #expect(state.referral("ana")?.externalTransactionID == "other")
      // The first order's was refused; after that the daemon knows better than the list.
      #expect(state.reports.count == 2)
    }
  }

  /// A friend's data are erased at the API after the conversion: the friend's orders go to no other referrer.
  @Test(arguments: [nil, "erased-1@deleted.invalid"])
  func aConvertedReferralThatLosesItsAddressGoesOnDeciding(address: String?) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("ana", email: "ana@example.com", daysAgo: 20),
        SandboxReferral("again", email: "ana@example.com", daysAgo: 5),
        SandboxReferral("ben", email: "ben@example.com"),
      ])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "superseded"]))
      try await shop.sandbox.change("ana") { $0.friendEmail = address }
      try await shop.insert(
        ShopOrder(3, email: "ana@example.com", daysAgo: 0), ShopOrder(4, email: "ben@example.com", daysAgo: 0))
      #expect(
        await shop.reaches(
          ["1": "reported", "2": "superseded", "3": "superseded", "4": "reported"], within: .seconds(60)))
      #expect(await shop.sandbox.state.referral("again")?.status == .pending)
    }
  }

  @Test func aConvertedReferralThatIsDeletedIsNotPaidForAgain() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("ana", email: "ana@example.com", daysAgo: 20), SandboxReferral("ben", email: "ben@example.com"),
        SandboxReferral("cara", email: "cara@example.com"),
      ])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.sandbox.delete("ana")
      // The friend is there once more, by another referral, and the order's row changes.
      try await shop.sandbox.put([SandboxReferral("again", email: "ana@example.com", daysAgo: 20)])
      try await shop.database.execute("UPDATE orders SET total_cents = 2500 WHERE id = 1")
      try await shop.insert(ShopOrder(2, email: "ben@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported", "2": "reported"], within: .seconds(60)))
      #expect(try await shop.stop() == .exited(0))
      try await shop.start()
      try await shop.insert(ShopOrder(3, email: "cara@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"], within: .seconds(60)))
      let state = await shop.sandbox.state
      #expect(state.referral("again")?.status == .pending)
      #expect(state.reports.count == 3)
    }
  }
}
