import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct UpdateReferral {
    @Test("metadata and externalSourceId are writable") func writable() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral(source: "lead_1")
      let answer = try await client.patch(
        "/referrals/\(id)", ["externalSourceId": "lead_991", "metadata": ["crmStage": "won"]])
      #expect(answer.status == 200)
      let referral = try await client.get("/referrals/\(id)")
      #expect(referral["externalSourceId"] == "lead_991")
      #expect(referral["metadata"] == ["crmStage": "won"])
    }

    @Test("a field left out stays as it is") func partial() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral(source: "lead_1")
      #expect(try await client.patch("/referrals/\(id)", ["metadata": ["a": 1]]).status == 200)
      #expect(try await client.patch("/referrals/\(id)", ["externalSourceId": "lead_2"]).status == 200)
      let referral = try await client.get("/referrals/\(id)")
      #expect(referral["externalSourceId"] == "lead_2")
      #expect(referral["metadata"] == ["a": 1])
    }

    @Test(
      "Everything else is read-only and rejected if present in the body",
      arguments: [
        ("referralId", "jx7"), ("referralCode", "a1b2c3d4"), ("status", "converted"), ("friendEmail", "b@example.com"),
        ("friendName", "Bea"), ("createdAt", 1), ("convertedAt", 1), ("conversionValue", "1"), ("currency", "EUR"),
        ("referrerIdentifier", "cust_1"), ("unknown", true),
      ] as [(String, SandboxJSON)])
    func readOnly(_ field: String, _ value: SandboxJSON) async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let before = try await client.get("/referrals/\(id)").json
      let answer = try await client.patch(
        "/referrals/\(id)", .object([.init("metadata", ["a": 1]), .init(field, value)]))
      expectError(answer, 400, "VALIDATION_ERROR", field: field)
      #expect(try await client.get("/referrals/\(id)").json == before, "nothing of a rejected body is taken")
    }

    @Test("metadata has to be an object of at most 4 KiB") func metadata() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let long = SandboxJSON.string(String(repeating: "x", count: 5000))
      for metadata in ["text", 1, [], ["k": long]] as [SandboxJSON] {
        let answer = try await client.patch("/referrals/\(id)", ["metadata": metadata])
        expectError(answer, 400, "VALIDATION_ERROR", field: "metadata")
      }
    }

    @Test("All write endpoints are idempotent: the same update twice is the same referral")
    func idempotent() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let body: SandboxJSON = ["externalSourceId": "lead_991", "metadata": ["a": 1]]
      #expect(try await client.patch("/referrals/\(id)", body).status == 200)
      let once = try await client.get("/referrals/\(id)").json
      #expect(try await client.patch("/referrals/\(id)", body).status == 200)
      #expect(try await client.get("/referrals/\(id)").json == once)
    }
  }
}
