import Foundation
import PartnersSandbox
import Testing

@Suite struct SeedTests {
  private func issues(_ json: String) -> [String] {
    do {
      _ = try SandboxSeed(json: Array(json.utf8))
      return []
    } catch {
      return error.issues.map(\.description)
    }
  }

  @Test("A seed's referrals are served, with what was left out chosen") func served() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "seed-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let text = """
      { "referrals": [
        { "referralId": "r1", "status": "clicked", "createdAt": 1765467600000, "referrerEmail": "ref@example.com" },
        { "status": "converted", "createdAt": 1765467600001, "convertedAt": 1765467600002, "conversionValue": "12999",
          "friendEmail": "ana@example.com", "friendName": "Ana", "referrerIdentifier": "cust_42",
          "externalTransactionId": "order_77", "currency": "EUR", "metadata": {"a": [1]} },
        { "referralId": "r3", "partner": "somebody else", "createdAt": 1 } ] }
      """
    try text.write(to: file, atomically: true, encoding: .utf8)
    let seed = try SandboxSeed(file: file.path)
    try await withSandbox(seed: seed) { sandbox, address in
      let client = APIClient(baseURL: address.baseURL, key: SandboxConfiguration.defaultKey)
      let list = try await client.get("/referrals", "sortOrder=asc")
      #expect(list["pagination"]?["total"] == 2)
      let clicked = try #require(list["referrals"]?.elements?.first)
      #expect(clicked["referralId"] == "r1")
      #expect(clicked["status"] == "clicked")
      #expect(clicked["friendEmail"] == .null)
      #expect(clicked["referralCode"]?.text?.count == 8)
      let converted = try #require(list["referrals"]?.elements?.last)
      #expect(converted["conversionValue"] == "12999")
      #expect(converted["convertedAt"] == 1_765_467_600_002)
      let byReferrer = try await client.get("/referrals", "referrerEmail=ref@example.com")
      #expect(byReferrer["referrals"]?.elements?.count == 1)
      let path = "/referrals/\(try #require(converted["referralId"]?.text))/convert"
      #expect(try await client.post(path, ["externalTransactionId": "order_77"]).status == 200)
    }
  }

  @Test("A mistake is named by index and field, and all of them at once") func mistakes() {
    let json = """
      { "referrals": [
        { "friendEmail": "ana@example.com", "createdAt": 1 },
        { "friendEmail": "ana", "createdAt": "yesterday", "status": "lost", "colour": "red" },
        7,
        { "conversionValue": "12", "createdAt": -1, "metadata": [] } ],
        "more": 1 }
      """
    let found = issues(json)
    for place in [
      "more", "referrals[1].friendEmail", "referrals[1].createdAt", "referrals[1].status", "referrals[1].colour",
      "referrals[2]", "referrals[3].conversionValue", "referrals[3].createdAt", "referrals[3].metadata",
    ] {
      #expect(found.contains { $0.hasPrefix(place + ": ") }, "\(place)")
    }
    #expect(found.count == 9)
  }

  @Test("a text that is no JSON is named by line and column") func syntax() {
    #expect(issues("{ \"referrals\": [\n  { \"createdAt\": 01 } ] }").first?.hasPrefix("line 2, column 19: ") == true)
    #expect(issues("").first?.hasPrefix("line 1, column 1: ") == true)
    #expect(issues("{}") == ["referrals: An object with a list \"referrals\" is expected"])
  }

  @Test("Referrals that can't stand beside each other are named") func duplicates() {
    let json = """
      { "referrals": [
        { "referralId": "r1", "referrerIdentifier": "c", "friendEmail": "a@example.com" },
        { "referralId": "r1" },
        { "referrerIdentifier": "c", "friendEmail": "a@example.com" },
        { "referrerIdentifier": "c", "friendEmail": "a@example.com", "partner": "other" },
        { "status": "converted", "externalTransactionId": "o" },
        { "status": "converted", "externalTransactionId": "o" } ] }
      """
    #expect(
      issues(json) == [
        "referrals[1].referralId: The same as in referrals[0]", "referrals[2].friendEmail: The same as in referrals[0]",
        "referrals[5].externalTransactionId: The same as in referrals[4]",
      ])
  }

  @Test("A file that isn't there is named") func missing() {
    #expect {
      _ = try SandboxSeed(file: "/nowhere/seed.json")
    } throws: { error in
      String(describing: error).hasPrefix("/nowhere/seed.json: ")
    }
  }
}
