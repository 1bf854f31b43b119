import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct Errors {
    @Test("All errors share one shape, and a validation error names its fields with a message each")
    func shape() async throws {
      let answer = try await ServedAPI.client().post(
        "/referrals", ["referrerIdentifier": "cust_42", "friendEmail": "not an email", "friendName": "Ana"])
      expectError(answer, 400, "VALIDATION_ERROR", field: "friendEmail")
      let fields = try #require(answer["error"]?["fields"]?.elements)
      for field in fields {
        #expect(field["field"]?.text?.isEmpty == false)
        #expect(field["message"]?.text?.isEmpty == false)
      }
      #expect(answer.headers["content-type"]?.hasPrefix("application/json") == true)
    }

    @Test(
      "400 VALIDATION_ERROR: malformed query parameter",
      arguments: [
        ("status=unknown", "status"), ("dateFrom=yesterday", "dateFrom"), ("dateTo=1.5", "dateTo"),
        ("sortBy=name", "sortBy"), ("sortOrder=up", "sortOrder"), ("page=0", "page"), ("page=x", "page"),
        ("pageSize=0", "pageSize"), ("pageSize=-1", "pageSize"), ("referrerEmail=nobody", "referrerEmail"),
      ])
    func malformedQuery(_ query: String, _ field: String) async throws {
      expectError(try await ServedAPI.client().get("/referrals", query), 400, "VALIDATION_ERROR", field: field)
    }

    @Test("400 VALIDATION_ERROR: an unknown query parameter") func unknownQuery() async throws {
      expectError(
        try await ServedAPI.client().get("/referrals", "colour=red"), 400, "VALIDATION_ERROR", field: "colour")
    }

    @Test(
      "400 VALIDATION_ERROR: a body that is no JSON object",
      arguments: ["", "{", "[]", "null", "\"text\"", "{\"a\":1,}", "{\"a\":01}", "{\"friendName\":\"a\" \"b\"}"])
    func malformedBody(_ body: String) async throws {
      expectError(try await ServedAPI.client().send("POST", "/referrals", body), 400, "VALIDATION_ERROR")
    }

    @Test("404 NOT_FOUND: the referral doesn't exist, on every endpoint that names one")
    func notFound() async throws {
      let client = try ServedAPI.client()
      let id = APIClient.newID("jx7")
      expectError(try await client.get("/referrals/\(id)"), 404, "NOT_FOUND")
      expectError(try await client.patch("/referrals/\(id)", ["metadata": [:]]), 404, "NOT_FOUND")
      let convert = try await client.post("/referrals/\(id)/convert", ["externalTransactionId": "order_77"])
      expectError(convert, 404, "NOT_FOUND")
    }

    @Test("404 NOT_FOUND: the referral isn't yours", .enabled(if: ServedAPI.hasOtherKey))
    func notYours() async throws {
      let api = try ServedAPI.api()
      let id = try await api.client.newReferral()
      var other = api.client
      other.key = api.otherKey
      expectError(try await other.get("/referrals/\(id)"), 404, "NOT_FOUND")
      expectError(try await other.patch("/referrals/\(id)", ["metadata": [:]]), 404, "NOT_FOUND")
      let convert = try await other.post("/referrals/\(id)/convert", ["externalTransactionId": "order_77"])
      expectError(convert, 404, "NOT_FOUND")
      #expect(try await api.client.get("/referrals/\(id)")["status"] == "pending")
    }

    @Test("404 in the one shape for what is no endpoint, whatever is written between the slashes")
    func noEndpoint() async throws {
      let client = try ServedAPI.client()
      expectError(try await client.get("/nothing"), 404, "NOT_FOUND")
      expectError(try await client.get("/referrals/%2E%2E%2F%2E%2E%2Fadmin"), 404, "NOT_FOUND")
      #expect(try await client.send("DELETE", "/referrals", nil).status == 405)
    }
  }
}
