import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct GetReferral {
    @Test("Returns the full referral object, the one that the list shows")
    func full() async throws {
      let client = try ServedAPI.client()
      let lead = APIClient.newID("lead")
      let id = try await client.newReferral(source: lead)
      let single = try await client.get("/referrals/\(id)")
      #expect(single.status == 200)
      let listed = try await client.get("/referrals", "search=\(lead)")
      #expect(listed["referrals"]?.elements?.first { $0["referralId"] == .string(id) } == single.json)
    }

    @Test("A percent-encoded referral ID is the same ID") func encoded() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let encoded = id.utf8.map { "%" + String($0, radix: 16) }.joined()
      #expect(try await client.get("/referrals/\(encoded)")["referralId"] == .string(id))
    }
  }
}
