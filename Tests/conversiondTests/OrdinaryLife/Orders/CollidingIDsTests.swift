import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct CollidingIDsTests {
  @Test func aSecondShopWithTheSameOrderIDsIsToldTheRemedyOnce() async throws {
    try await DaemonFixture.with { shop in
      let used = (1...5).map { number in
        var referral = SandboxReferral("used\(number)", email: "first\(number)@example.com", status: .converted)
        referral.externalTransactionID = String(number)
        return referral
      }
      try await shop.sandbox.put(
        used + (1...6).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...2).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "review: transaction_conflict", "2": "review: transaction_conflict"]))
      #expect(try await shop.status().report.conflicts == nil)
      try await shop.insert((3...5).map { ShopOrder($0, email: "friend\($0)@example.com", daysAgo: 0.1) })
      #expect(await shop.reaches(["5": "review: transaction_conflict"]))
      #expect(await eventually { shop.log.contains("'shop2-' || id") })
      #expect(shop.log.split(separator: "\n").count { $0.contains("'shop2-' || id") } == 1)
      #expect(try await shop.run("status").output.contains("NEEDS A PERSON: the API had used the last order IDs"))
      try await shop.insert(ShopOrder(6, email: "friend6@example.com", daysAgo: 0.1))
      #expect(await shop.reaches(["6": "reported"]))
      #expect(try await shop.status().report.conflicts == nil)
    }
  }
}
