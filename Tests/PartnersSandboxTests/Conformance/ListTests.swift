import Foundation
import PartnersSandbox
import Testing

extension Conformance {
  @Suite struct ListReferrals {
    /// The IDs that a query lists, on its first page.
    private func list(_ client: APIClient, _ query: String) async throws -> [String] {
      let answer = try await client.get("/referrals", query)
      try #require(answer.status == 200)
      return try #require(answer["referrals"]?.elements).compactMap { $0["referralId"]?.text }
    }

    private func created(_ client: APIClient, _ id: String) async throws -> Int64 {
      try #require(try await client.get("/referrals/\(id)")["createdAt"]?.wholeNumber)
    }

    @Test("200 with referrals and pagination; page defaults to 1 and pageSize to 25")
    func defaults() async throws {
      let client = try ServedAPI.client()
      for _ in 0..<26 { _ = try await client.newReferral() }
      let answer = try await client.get("/referrals")
      #expect(answer.status == 200)
      #expect(answer.json.members?.map(\.name).sorted() == ["pagination", "referrals"])
      #expect(answer["pagination"]?.members?.map(\.name).sorted() == ["page", "pageSize", "total"])
      #expect(answer["pagination"]?["page"] == 1)
      #expect(answer["pagination"]?["pageSize"] == 25)
      #expect(try #require(answer["pagination"]?["total"]?.wholeNumber) >= 26)
      #expect(answer["referrals"]?.elements?.count == 25)
    }

    @Test("page and pageSize walk through all of a search, each referral once, and total counts them all")
    func paging() async throws {
      let client = try ServedAPI.client()
      let word = APIClient.newID("walk")
      var made: Set<String> = []
      for index in 0..<7 { made.insert(try await client.newReferral(source: "\(word)-\(index)")) }
      var seen: [String] = []
      for page in 1...4 {
        let answer = try await client.get(
          "/referrals", "search=\(word)&sortBy=createdAt&sortOrder=asc&pageSize=3&page=\(page)")
        #expect(answer["pagination"] == ["page": .integer(page), "pageSize": 3, "total": 7])
        seen += try #require(answer["referrals"]?.elements).compactMap { $0["referralId"]?.text }
      }
      #expect(seen.count == 7 && Set(seen) == made)
    }

    @Test("The max page size is 100") func maxPageSize() async throws {
      let client = try ServedAPI.client()
      #expect(try await client.get("/referrals", "pageSize=100")["pagination"]?["pageSize"] == 100)
      let more = try await client.get("/referrals", "pageSize=101")
      // The reference doesn't say whether more is refused or cut down.
      #expect(more.status == 400 || (more["pagination"]?["pageSize"]?.wholeNumber ?? 101) <= 100)
    }

    @Test("status filters: pending and converted", arguments: ["clicked", "pending", "converted", "expired"])
    func status(_ status: String) async throws {
      let client = try ServedAPI.client()
      let word = APIClient.newID("status")
      let pending = try await client.newReferral(source: word + "-a")
      let converted = try await client.newReferral(source: word + "-b")
      #expect(try await client.post("/referrals/\(converted)/convert", [:]).status == 201)
      let expected = ["pending": [pending], "converted": [converted]][status] ?? []
      #expect(try await list(client, "search=\(word)&status=\(status)") == expected)
    }

    @Test("referrerEmail filters exactly on the referrer's email") func referrerEmail() async throws {
      let client = try ServedAPI.client()
      let email = APIClient.newEmail()
      _ = try await client.newReferral(email: email)
      #expect(try await list(client, "referrerEmail=\(APIClient.newEmail())").isEmpty)
      #expect(try await list(client, "referrerEmail=\(email)").isEmpty, "a friend's e-mail is not the referrer's")
    }

    @Test("dateFrom and dateTo are a creation window in epoch milliseconds, both ends included")
    func window() async throws {
      let client = try ServedAPI.client()
      let word = APIClient.newID("window")
      var ids: [String] = []
      for index in 0..<3 {
        ids.append(try await client.newReferral(source: "\(word)-\(index)"))
        try await Task.sleep(for: .milliseconds(5))
      }
      let middle = try await created(client, ids[1])
      let base = "search=\(word)&sortBy=createdAt&sortOrder=asc"
      #expect(try await list(client, "\(base)&dateFrom=\(middle)") == [ids[1], ids[2]])
      #expect(try await list(client, "\(base)&dateTo=\(middle)") == [ids[0], ids[1]])
      #expect(try await list(client, "\(base)&dateFrom=\(middle)&dateTo=\(middle)") == [ids[1]])
      #expect(try await list(client, "\(base)&dateFrom=\(middle + 1)&dateTo=\(middle + 1)").isEmpty)
    }

    @Test("search is free-text, of at most 256 chars") func search() async throws {
      let client = try ServedAPI.client()
      let word = APIClient.newID("find")
      let id = try await client.newReferral(source: word)
      #expect(try await list(client, "search=\(word)") == [id])
      #expect(try await client.get("/referrals", "search=\(String(repeating: "x", count: 256))").status == 200)
      let tooLong = try await client.get("/referrals", "search=\(String(repeating: "x", count: 257))")
      expectError(tooLong, 400, "VALIDATION_ERROR", field: "search")
    }

    @Test("sortBy createdAt, convertedAt or conversionValue; sortOrder asc or desc")
    func sorting() async throws {
      let client = try ServedAPI.client()
      let word = APIClient.newID("sort")
      var ids: [String] = []
      for index in 0..<3 {
        ids.append(try await client.newReferral(source: "\(word)-\(index)"))
        try await Task.sleep(for: .milliseconds(3))
      }
      // Converted in another order than made, with values in a third one.
      for (index, cents) in [(2, 200), (0, 300), (1, 100)] as [(Int, SandboxJSON)] {
        let answer = try await client.post("/referrals/\(ids[index])/convert", ["conversionValue": cents])
        #expect(answer.status == 201)
        try await Task.sleep(for: .milliseconds(3))
      }
      for (key, order) in [("createdAt", [0, 1, 2]), ("convertedAt", [2, 0, 1]), ("conversionValue", [1, 2, 0])] {
        let ascending = try await list(client, "search=\(word)&sortBy=\(key)&sortOrder=asc")
        #expect(ascending == order.map { ids[$0] })
        let descending = try await list(client, "search=\(word)&sortBy=\(key)&sortOrder=desc")
        #expect(descending == order.reversed().map { ids[$0] })
      }
    }

    @Test("A page beyond the last is empty") func beyond() async throws {
      let answer = try await ServedAPI.client().get("/referrals", "page=1000000&pageSize=100")
      #expect(answer.status == 200)
      #expect(answer["referrals"] == [])
    }

    @Test("Another partner's referrals are never listed", .enabled(if: ServedAPI.hasOtherKey))
    func otherPartner() async throws {
      let api = try ServedAPI.api()
      let word = APIClient.newID("mine")
      _ = try await api.client.newReferral(source: word)
      var other = api.client
      other.key = api.otherKey
      #expect(try await list(other, "search=\(word)").isEmpty)
    }
  }
}
