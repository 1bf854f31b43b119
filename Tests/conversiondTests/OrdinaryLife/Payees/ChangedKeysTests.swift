import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Referrals and orders whose keys change at the last moment, or after an order was decided.
@Suite struct ChangedKeysTests {
  /// Returns the referral that was paid for each order ID.
  private func paid(_ shop: DaemonFixture) async -> [String: String] {
    await shop.sandbox.state.referrals.reduce(into: [:]) { paid, referral in
      if let order = referral.externalTransactionID { paid[order] = referral.referralID }
    }
  }

  @Test func aReferralThatGainsItsKeyASecondBeforeTheOrderIsPaid() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("ana", email: "ana@example.com", daysAgo: 20),
        SandboxReferral("other", email: "other@example.com", daysAgo: 40),
        SandboxReferral("click", email: nil, status: .clicked, daysAgo: 20),
        SandboxReferral("bob", email: "bob@example.com", daysAgo: 5),
        SandboxReferral("swap1", email: "s1@example.com", lead: "lead_s1", daysAgo: 30),
        SandboxReferral("swap2", email: "s2@example.com", lead: "lead_s2", daysAgo: 30),
        SandboxReferral("late", email: "late@example.com", daysAgo: 3),
      ])
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.sandbox.change("other") { $0.externalSourceID = "lead_9" }
      try await shop.sandbox.change("click") { ($0.status, $0.friendEmail) = (.pending, "bob@example.com") }
      try await shop.sandbox.change("swap1") { $0.externalSourceID = "lead_s2" }
      try await shop.sandbox.change("swap2") { $0.externalSourceID = "lead_s1" }
      try await shop.sandbox.put([SandboxReferral("older", email: "late@example.com", daysAgo: 50)])
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com", lead: "lead_9", daysAgo: 0),
        ShopOrder(2, email: "bob@example.com", daysAgo: 0),
        ShopOrder(3, email: "x@example.com", lead: "lead_s1", daysAgo: 0),
        ShopOrder(4, email: "late@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported", "4": "reported"]))
      #expect(await paid(shop) == ["1": "other", "2": "click", "3": "swap2", "4": "older"])
      #expect(await shop.sandbox.state.reports.count == 4)
    }
  }

  /// The referral that would have been chosen was converted before; another one gains the order's key.
  @Test func nothingIsSupersededByAReferralThatIsNotTheOrders() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("ana", email: "ana@example.com", status: .converted, daysAgo: 20),
        SandboxReferral("other", email: "other@example.com", daysAgo: 40),
        SandboxReferral("click", email: nil, status: .clicked, daysAgo: 20),
        SandboxReferral("bob", email: "bob@example.com", status: .converted, daysAgo: 5),
        SandboxReferral("eve", email: "eve@example.com", status: .converted, daysAgo: 5),
      ])
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.sandbox.change("other") { $0.externalSourceID = "lead_9" }
      try await shop.sandbox.change("click") { ($0.status, $0.friendEmail) = (.pending, "bob@example.com") }
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com", lead: "lead_9", daysAgo: 0),
        ShopOrder(2, email: "bob@example.com", daysAgo: 0), ShopOrder(3, email: "eve@example.com", daysAgo: 0))
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "superseded"]))
      #expect(await paid(shop) == ["1": "other", "2": "click"])
    }
  }

  @Test func whatWasDecidedForGoodIsOpenedAgainByItsKeysOrAReferrals() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("typo", email: "typo@example.com", status: .converted),
        SandboxReferral("right", email: "right@example.com"), SandboxReferral("lead", email: nil, lead: "lead_7"),
        SandboxReferral("first", email: "no@example.com", daysAgo: 9),
      ])
      try await shop.insert(
        ShopOrder(1, email: "typo@example.com"), ShopOrder(2, email: "typo@example.com"),
        ShopOrder(3, email: "typo@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "superseded", "2": "superseded", "3": "superseded"]))
      try await shop.database.execute("UPDATE orders SET customer_email = 'right@example.com' WHERE id = 1")
      try await shop.database.execute("UPDATE orders SET lead_id = 'lead_7' WHERE id = 2")
      // A referral that ranks before the converted one appears.
      try await shop.sandbox.change("first") { $0.friendEmail = "typo@example.com" }
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"], within: .seconds(60)))
      #expect(await paid(shop) == ["1": "right", "2": "lead", "3": "first"])
    }
  }

  /// The second order's screen says what to do about the first one, which holds their referral.
  @Test(arguments: ["USD", "GBP"]) func anOrderBehindOneInReviewSaysWhatToDo(currency: String) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("ana", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com", currency: currency))
      try await shop.start()
      #expect(await shop.reaches(["1": "review: other_currency"]))
      try await shop.insert(ShopOrder(2, email: "ana@example.com", daysAgo: 0))
      #expect(await shop.reaches(["2": "waiting"]))
      let detail = try await shop.entry("2")?.detail ?? ""
      #expect(detail.contains("order 1 ") && detail.contains("other_currency"))
      #expect(detail.contains("conversiond queue discard 1"))
      let discarded = try await shop.run("queue", "discard", "1", "--reason", "not in euros", "--yes")
      #expect(discarded.end == .exited(0), "\(discarded.errors)")
      #expect(await shop.reaches(["1": "discarded", "2": "reported"]))
    }
  }
}
