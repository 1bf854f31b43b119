import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct ReportConversion {
    @Test("201 Created with referralId, status, convertedAt, conversionValue and idempotent false")
    func created() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let answer = try await client.post(
        "/referrals/\(id)/convert",
        [
          "conversionValue": 12999, "currency": "EUR", "externalTransactionId": .string(APIClient.newID("order")),
          "metadata": ["sku": "PRO-1"],
        ])
      #expect(answer.status == 201)
      #expect(
        answer.json.members?.map(\.name).sorted()
          == ["conversionValue", "convertedAt", "idempotent", "referralId", "status"])
      #expect(answer["referralId"] == .string(id))
      #expect(answer["status"] == "converted")
      #expect(answer["convertedAt"]?.wholeNumber != nil)
      #expect(answer["conversionValue"] == "12999")
      #expect(answer["idempotent"] == false)
    }

    @Test("Replays with the same externalTransactionId return the original result with 200")
    func replay() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let order = SandboxJSON.string(APIClient.newID("order"))
      let first = try await client.post(
        "/referrals/\(id)/convert", ["conversionValue": 12999, "externalTransactionId": order])
      for value in [12999, 1] as [SandboxJSON] {
        let again = try await client.post(
          "/referrals/\(id)/convert", ["conversionValue": value, "externalTransactionId": order])
        #expect(again.status == 200)
        #expect(again["idempotent"] == true)
        #expect(again["convertedAt"] == first["convertedAt"])
        #expect(again["conversionValue"] == "12999")
      }
    }

    @Test("An already-converted referral with a different transaction ID returns 409 DUPLICATE_CONVERSION")
    func differentTransaction() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let path = "/referrals/\(id)/convert"
      let first = SandboxJSON.string(APIClient.newID("order"))
      #expect(try await client.post(path, ["externalTransactionId": first]).status == 201)
      let second = SandboxJSON.string(APIClient.newID("order"))
      expectError(try await client.post(path, ["externalTransactionId": second]), 409, "DUPLICATE_CONVERSION")
      // The refused ID is still free.
      let other = try await client.newReferral()
      #expect(try await client.post("/referrals/\(other)/convert", ["externalTransactionId": second]).status == 201)
    }

    @Test("Reusing a transaction ID on another referral returns 409 DUPLICATE_CONVERSION")
    func reusedTransaction() async throws {
      let client = try ServedAPI.client()
      let (first, second) = (try await client.newReferral(), try await client.newReferral())
      let body: SandboxJSON = ["externalTransactionId": .string(APIClient.newID("order"))]
      #expect(try await client.post("/referrals/\(first)/convert", body).status == 201)
      expectError(try await client.post("/referrals/\(second)/convert", body), 409, "DUPLICATE_CONVERSION")
      #expect(try await client.get("/referrals/\(second)")["status"] == "pending")
    }

    @Test("Two partners may use the same transaction ID", .enabled(if: ServedAPI.hasOtherKey))
    func otherPartner() async throws {
      let api = try ServedAPI.api()
      var other = api.client
      other.key = api.otherKey
      let body: SandboxJSON = ["externalTransactionId": .string(APIClient.newID("order"))]
      let (mine, theirs) = (try await api.client.newReferral(), try await other.newReferral())
      #expect(try await api.client.post("/referrals/\(mine)/convert", body).status == 201)
      #expect(try await other.post("/referrals/\(theirs)/convert", body).status == 201)
    }

    @Test("Reported at the same time with the same ID, one is 201 and the others 200")
    func atOnce() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let body: SandboxJSON = ["externalTransactionId": .string(APIClient.newID("order"))]
      let answers = try await withThrowingTaskGroup(of: APIClient.Answer.self) { group in
        for _ in 0..<8 { group.addTask { try await client.post("/referrals/\(id)/convert", body) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.map(\.status).sorted() == [200, 200, 200, 200, 200, 200, 200, 201])
    }

    @Test("Every field is optional") func optional() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let answer = try await client.post("/referrals/\(id)/convert", [:])
      #expect(answer.status == 201)
      #expect(answer["conversionValue"] == .null)
      #expect(try await client.get("/referrals/\(id)")["currency"] == "EUR")
    }

    @Test(
      "conversionValue is in cents, and responses echo it as a decimal string",
      arguments: [0, 1, 12999, 2_147_483_648, 9_007_199_254_740_991] as [Int64])
    func value(_ cents: Int64) async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let answer = try await client.post(
        "/referrals/\(id)/convert",
        ["conversionValue": .integer(cents), "externalTransactionId": .string(APIClient.newID("order"))])
      #expect(answer["conversionValue"] == .string(String(cents)))
      #expect(try await client.get("/referrals/\(id)")["conversionValue"] == .string(String(cents)))
    }

    @Test(
      "A malformed body field is named, and nothing is converted",
      arguments: [
        ("conversionValue", .number("129.99")), ("conversionValue", "12999"), ("conversionValue", -1),
        ("conversionValue", .number("1e40")), ("conversionValue", true), ("currency", "USD"), ("currency", "EURO"),
        ("currency", 978), ("externalTransactionId", 77), ("externalTransactionId", ""), ("metadata", "text"),
        ("status", "converted"), ("unknown", 1),
      ] as [(String, SandboxJSON)])
    func malformed(_ field: String, _ value: SandboxJSON) async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let answer = try await client.post("/referrals/\(id)/convert", .object([.init(field, value)]))
      expectError(answer, 400, "VALIDATION_ERROR", field: field)
      #expect(try await client.get("/referrals/\(id)")["status"] == "pending")
    }

    @Test("A transaction ID may be any text", arguments: ["order/77?x=1#y", "注文🎈", " 7 ", "a\r\nb", "0"])
    func transactionText(_ text: String) async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let body: SandboxJSON = ["externalTransactionId": .string(text + APIClient.newID("")), "conversionValue": 5]
      #expect(try await client.post("/referrals/\(id)/convert", body).status == 201)
      #expect(try await client.post("/referrals/\(id)/convert", body).status == 200)
    }

    @Test("metadata is limited to 4 KiB") func metadataLimit() async throws {
      let client = try ServedAPI.client()
      let id = try await client.newReferral()
      let long = SandboxJSON.string(String(repeating: "x", count: 5000))
      let answer = try await client.post("/referrals/\(id)/convert", ["metadata": ["k": long]])
      expectError(answer, 400, "VALIDATION_ERROR", field: "metadata")
    }
  }
}
