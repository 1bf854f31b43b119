import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Referrers who buy for their own reward under another spelling of their address.
@Suite struct ReferrersUnderOtherNamesTests {
  @Test func aTagADotAndGooglemailAreTheReferrer() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("tag", email: "ann+shop@example.com", referrer: "ann@example.com"),
        SandboxReferral("dots", email: "a.n.n@googlemail.com", referrer: "ann@gmail.com"),
        SandboxReferral("friend", email: "bob+1@example.com", lead: "lead_1", referrer: "Bob@example.com"),
        SandboxReferral("other", email: "eve@example.com", referrer: "ann@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "ann+shop@example.com"), ShopOrder(2, email: "a.n.n@googlemail.com"),
        ShopOrder(3, email: "someone@example.com", lead: "lead_1"), ShopOrder(4, email: "eve@example.com"))
      try await shop.start()
      let review = "review: self_referral"
      #expect(await shop.reaches(["1": review, "2": review, "3": review, "4": "reported"]))
      #expect(await shop.sandbox.state.converted.map(\.referralID) == ["other"])
    }
  }
}
