import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct CreateReferral {
    private func body(_ changes: [(String, SandboxJSON?)] = []) -> SandboxJSON {
      var members: [SandboxJSON.Member] = [
        .init("referrerIdentifier", .string(APIClient.newID("cust"))),
        .init("friendEmail", .string(APIClient.newEmail())), .init("friendName", "Ana"),
      ]
      for (name, value) in changes {
        members.removeAll { $0.name == name }
        if let value { members.append(.init(name, value)) }
      }
      return .object(members)
    }

    @Test("201 Created with referralId, referralCode, status pending and idempotent false")
    func created() async throws {
      let answer = try await ServedAPI.client().post(
        "/referrals", body([("externalSourceId", "lead_991"), ("metadata", ["campaign": "spring"])]))
      #expect(answer.status == 201)
      #expect(answer.json.members?.map(\.name).sorted() == ["idempotent", "referralCode", "referralId", "status"])
      #expect(answer["referralId"]?.text?.isEmpty == false)
      #expect(answer["referralCode"]?.text?.count == 8)
      #expect(answer["status"] == "pending")
      #expect(answer["idempotent"] == false)
    }

    @Test("Re-posting the same pair returns the existing referral with 200 and idempotent true")
    func idempotent() async throws {
      let client = try ServedAPI.client()
      let body = body()
      let first = try await client.post("/referrals", body)
      var members = try #require(body.members)
      members.removeAll { $0.name == "friendName" }
      let again = try await client.post("/referrals", .object(members + [.init("friendName", "Another name")]))
      #expect(again.status == 200)
      #expect(again["idempotent"] == true)
      #expect(again["referralId"] == first["referralId"])
      #expect(again["referralCode"] == first["referralCode"])
    }

    @Test("The pair is the key: another referrer, or another friend, makes another referral")
    func pair() async throws {
      let client = try ServedAPI.client()
      let (referrer, email) = (APIClient.newID("cust"), APIClient.newEmail())
      let ids = [
        try await client.newReferral(referrer: referrer, email: email),
        try await client.newReferral(referrer: APIClient.newID("cust"), email: email),
        try await client.newReferral(referrer: referrer, email: APIClient.newEmail()),
      ]
      #expect(Set(ids).count == 3)
    }

    @Test("Two partners may refer the same pair", .enabled(if: ServedAPI.hasOtherKey))
    func otherPartner() async throws {
      let api = try ServedAPI.api()
      var other = api.client
      other.key = api.otherKey
      let (referrer, email) = (APIClient.newID("cust"), APIClient.newEmail())
      let mine = try await api.client.newReferral(referrer: referrer, email: email)
      let theirs = try await other.newReferral(referrer: referrer, email: email)
      #expect(mine != theirs)
    }

    @Test("Posted at the same time, the pair makes one referral") func atOnce() async throws {
      let client = try ServedAPI.client()
      let body = body()
      let answers = try await withThrowingTaskGroup(of: APIClient.Answer.self) { group in
        for _ in 0..<8 { group.addTask { try await client.post("/referrals", body) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.count { $0.status == 201 } == 1)
      #expect(Set(answers.compactMap { $0["referralId"]?.text }).count == 1)
    }

    @Test("referrerIdentifier, friendEmail and friendName are required, and all that are missing are named")
    func required() async throws {
      let answer = try await ServedAPI.client().post("/referrals", [:])
      expectError(answer, 400, "VALIDATION_ERROR")
      #expect(Set(answer.fields).isSuperset(of: ["referrerIdentifier", "friendEmail", "friendName"]))
    }

    @Test(
      "A malformed body field is named",
      arguments: [
        ("friendEmail", "ana"), ("friendEmail", "ana@"), ("friendEmail", "@example.com"), ("friendEmail", "a b@c.de"),
        ("friendEmail", 7), ("friendName", 7), ("friendName", ""), ("referrerIdentifier", 42),
        ("referrerIdentifier", ""), ("externalSourceId", 7), ("metadata", "text"), ("metadata", [1]),
        ("status", "converted"), ("createdAt", 1),
      ] as [(String, SandboxJSON)])
    func malformed(_ field: String, _ value: SandboxJSON) async throws {
      let answer = try await ServedAPI.client().post("/referrals", body([(field, value)]))
      expectError(answer, 400, "VALIDATION_ERROR", field: field)
    }

    @Test("metadata is limited to 4 KiB") func metadataLimit() async throws {
      let client = try ServedAPI.client()
      // {"k":"…"} has 8 bytes around its text.
      let fits = SandboxJSON.string(String(repeating: "x", count: 4096 - 8))
      #expect(try await client.post("/referrals", body([("metadata", ["k": fits])])).status == 201)
      let exceeds = SandboxJSON.string(String(repeating: "x", count: 4096))
      let answer = try await client.post("/referrals", body([("metadata", ["k": exceeds])]))
      expectError(answer, 400, "VALIDATION_ERROR", field: "metadata")
    }
  }
}
