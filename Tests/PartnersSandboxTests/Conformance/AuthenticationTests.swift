import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct Authentication {
    @Test("Every request must carry your API key: without one each endpoint answers 401 MISSING_API_KEY")
    func missingKey() async throws {
      var client = try ServedAPI.client()
      client.key = nil
      expectError(try await client.get("/referrals"), 401, "MISSING_API_KEY")
      expectError(try await client.post("/referrals", [:]), 401, "MISSING_API_KEY")
      expectError(try await client.get("/referrals/any"), 401, "MISSING_API_KEY")
      expectError(try await client.patch("/referrals/any", [:]), 401, "MISSING_API_KEY")
      expectError(try await client.post("/referrals/any/convert", [:]), 401, "MISSING_API_KEY")
    }

    @Test(
      "A key that doesn't resolve returns 401 INVALID_API_KEY",
      arguments: ["oft_ffffffffffffffffffffffffffffffff", "oft_", "nonsense", "OFT_5A0D60C0FFEE"])
    func invalidKey(_ key: String) async throws {
      var client = try ServedAPI.client()
      client.key = key
      expectError(try await client.get("/referrals"), 401, "INVALID_API_KEY")
    }

    @Test("Keys for partners that aren't approved yet return 403", .enabled(if: ServedAPI.hasUnapprovedKey))
    func notApproved() async throws {
      let api = try ServedAPI.api()
      var client = api.client
      client.key = api.unapprovedKey
      expectError(try await client.get("/referrals"), 403, "PARTNER_NOT_APPROVED")
    }

    @Test("There is no partnerId parameter anywhere in the API: in a query it is rejected")
    func partnerIdInQuery() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      expectError(try await client.get("/referrals", "partnerId=p1"), 400, "VALIDATION_ERROR", field: "partnerId")
      expectError(try await client.get("/referrals/\(id)", "partnerId=p1"), 400, "VALIDATION_ERROR", field: "partnerId")
      let convert = try await client.post("/referrals/\(id)/convert?partnerId=p1", [:])
      expectError(convert, 400, "VALIDATION_ERROR", field: "partnerId")
      #expect(try await client.get("/referrals/\(id)")["status"] == "pending")
    }

    @Test("There is no partnerId parameter anywhere in the API: in a body it is rejected")
    func partnerIdInBody() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let create: SandboxJSON = [
        "referrerIdentifier": "cust_42", "friendEmail": .string(APIClient.newEmail()), "friendName": "Ana",
        "partnerId": "p1",
      ]
      let body: SandboxJSON = ["partnerId": "p1"]
      expectError(try await client.post("/referrals", create), 400, "VALIDATION_ERROR", field: "partnerId")
      expectError(try await client.patch("/referrals/\(id)", body), 400, "VALIDATION_ERROR", field: "partnerId")
      let convert = try await client.post("/referrals/\(id)/convert", body)
      expectError(convert, 400, "VALIDATION_ERROR", field: "partnerId")
    }
  }
}
