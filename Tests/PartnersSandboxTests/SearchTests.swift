import PartnersSandbox
import Testing

/// The kinds of `search=` and the changes behind a reader's back that a test can order.
@Suite(.timeLimit(.minutes(5))) struct SearchTests {
  private func client(_ address: SandboxAddress) -> APIClient {
    APIClient(baseURL: address.baseURL, key: SandboxConfiguration.defaultKey)
  }

  private func found(_ client: APIClient, _ query: String) async throws -> [String] {
    let answer = try await client.get("/referrals", "\(query)&sortBy=createdAt&sortOrder=asc")
    return (answer["referrals"]?.elements ?? []).compactMap { $0["referralId"]?.text }
  }

  private func withFriends(_ body: (PartnersSandbox, APIClient, APIClient) async throws -> Void) async throws {
    try await withSandbox { sandbox, address in
      try await sandbox.put([
        SandboxReferral(
          referralID: "r1", referralCode: "AbCd1234", friendEmail: "Ana@example.com", friendName: "Ana One",
          createdAt: 1, referrerIdentifier: "cust_42", externalSourceID: "lead_991"),
        SandboxReferral(referralID: "r2", friendEmail: "bob@example.org", friendName: "Bob", createdAt: 2),
        SandboxReferral(referralID: "r3", status: .clicked, createdAt: 3),
      ])
      try await body(sandbox, client(address), APIClient(baseURL: address.controlURL))
    }
  }

  @Test(
    "A search finds by default what stands in a friend, a referrer or an ID",
    arguments: [
      "ana@EXAMPLE.com", "one", "lead_99", "abcd1234", "CUST_42",
    ])
  func substring(text: String) async throws {
    try await withFriends { _, client, _ in
      let ids = try await found(client, "search=\(text)")
      #expect(ids == ["r1"])
    }
  }

  @Test("Each other kind of search finds what it says") func kinds() async throws {
    try await withFriends { sandbox, client, control in
      await sandbox.setSearch(.names)
      #expect(try await found(client, "search=ana@example.com") == [])
      #expect(try await found(client, "search=ana") == ["r1"])
      await sandbox.setSearch(.nothing)
      #expect(try await found(client, "search=ana") == [])
      #expect(try await found(client, "").count == 3, "a list without a search is not touched")
      await sandbox.setSearch(.omits(["r1"]))
      #expect(try await found(client, "search=example") == ["r2"])
      #expect(try await control.post("/search", ["mode": "words"]).status == 200)
      #expect(try await found(client, "search=nobody@example.example") == ["r1", "r2"])
      #expect(try await found(client, "search=exam") == [])
      for status in [400, 500] {
        await sandbox.setSearch(.status(status))
        #expect(try await client.get("/referrals", "search=ana").status == status)
        #expect(try await client.get("/referrals").status == 200)
      }
      #expect(try await control.get("/search")["mode"] == "status:500")
      expectError(try await control.post("/search", ["mode": "all"]), 400, "VALIDATION_ERROR", field: "mode")
    }
  }

  @Test("A slow search is five seconds late") func slow() async throws {
    try await withFriends { sandbox, client, _ in
      await sandbox.setSearch(.slow)
      let clock = ContinuousClock()
      let began = clock.now
      let ids = try await found(client, "search=bob")
      #expect(ids == ["r2"] && clock.now - began >= .seconds(5))
    }
  }

  @Test("Referrals gain keys, change and vanish while they are read") func changes() async throws {
    try await withFriends { sandbox, client, _ in
      try await sandbox.setFriendEmail("r3", to: "cleo@example.net")
      try await sandbox.setExternalSourceID("r3", to: "lead_9")
      #expect(try await client.get("/referrals/r3")["status"] == "pending")
      #expect(try await found(client, "search=lead_9&status=pending") == ["r1", "r3"])
      try await sandbox.setStatus("r2", to: .converted)
      #expect(try await found(client, "status=converted") == ["r2"])
      try await sandbox.setStatus("r2", to: .pending)
      #expect(try await client.get("/referrals/r2")["convertedAt"] == .null)
      try await sandbox.delete("r1")
      #expect(try await client.get("/referrals/r1").status == 404)
      #expect(try await found(client, "") == ["r2", "r3"])
      #expect(await sandbox.state.referrals.count == 2)
      await #expect(throws: SandboxError.noSuchReferral("r1")) { try await sandbox.delete("r1") }
    }
  }

  @Test("A list shows an older state than the referral's own GET, until it is told not to") func stale() async throws {
    try await withFriends { sandbox, client, _ in
      try await sandbox.setListed("r2")
      try await sandbox.setStatus("r2", to: .converted)
      #expect(try await client.get("/referrals/r2")["status"] == "converted")
      #expect(try await found(client, "status=pending") == ["r1", "r2"])
      #expect(try await found(client, "status=converted") == [])
      await sandbox.setListedTruly("r2")
      #expect(try await found(client, "status=converted") == ["r2"])
    }
  }
}
