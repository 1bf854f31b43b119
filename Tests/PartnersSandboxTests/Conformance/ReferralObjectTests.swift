import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct ReferralObject {
    private static let fields = [
      "referralId", "referralCode", "status", "friendEmail", "friendName", "createdAt", "convertedAt",
      "conversionValue", "currency", "referrerIdentifier", "externalSourceId", "metadata",
    ]

    @Test("A referral has the fields of the reference, and no others; a new one is pending and not converted")
    func fields() async throws {
      let client = try ServedAPI.client()
      let email = APIClient.newEmail()
      let id = try await client.newReferral(referrer: "cust_42", email: email)
      let referral = try await client.get("/referrals/\(id)").json
      #expect(referral.members?.map(\.name).sorted() == Self.fields.sorted())
      #expect(referral["referralId"] == .string(id))
      #expect(referral["referralCode"]?.text?.count == 8)
      #expect(referral["status"] == "pending")
      #expect(referral["friendEmail"] == .string(email))
      #expect(referral["friendName"] == "Ana")
      #expect(try #require(referral["createdAt"]?.wholeNumber) > 1_600_000_000_000)
      #expect(referral["convertedAt"] == .null)
      #expect(referral["conversionValue"] == .null)
      #expect(referral["currency"] == .null)
      #expect(referral["referrerIdentifier"] == "cust_42")
      #expect(referral["externalSourceId"] == .null)
      #expect(referral["metadata"] == [:])
    }

    @Test("Once converted: convertedAt in epoch ms, conversionValue a decimal string of cents, currency EUR")
    func converted() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let conversion = try await client.post(
        "/referrals/\(id)/convert",
        ["conversionValue": 12999, "currency": "EUR", "externalTransactionId": .string(APIClient.newID("order"))])
      let referral = try await client.get("/referrals/\(id)").json
      #expect(referral["status"] == "converted")
      #expect(referral["convertedAt"] == conversion["convertedAt"])
      let created = try #require(referral["createdAt"]?.wholeNumber)
      #expect(try #require(referral["convertedAt"]?.wholeNumber) >= created)
      #expect(referral["conversionValue"] == "12999")
      #expect(referral["currency"] == "EUR")
    }

    @Test("referralCode is the referrer's: the same for each of a referrer's referrals")
    func referralCode() async throws {
      let client = try ServedAPI.client()
      let referrer = APIClient.newID("cust")
      let first = try await client.newReferral(referrer: referrer)
      let second = try await client.newReferral(referrer: referrer)
      let codes = [try await client.get("/referrals/\(first)"), try await client.get("/referrals/\(second)")]
      #expect(codes[0]["referralCode"] == codes[1]["referralCode"])
    }

    @Test("metadata is free-form and comes back as it was sent")
    func metadata() async throws {
      let client = try ServedAPI.client()
      let metadata: SandboxJSON = [
        "text": "Ŝtrangé 🎈 \"quoted\" \\ \n", "list": [1, true, nil, []], "deep": ["a": ["b": ["c": -5]]],
      ]
      let answer = try await client.post(
        "/referrals",
        [
          "referrerIdentifier": "cust_42", "friendEmail": .string(APIClient.newEmail()), "friendName": "Ana",
          "metadata": metadata,
        ])
      let id = try #require(answer["referralId"]?.text)
      #expect(try await client.get("/referrals/\(id)")["metadata"] == metadata)
    }
  }
}
