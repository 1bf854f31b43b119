import Conversions
import Foundation
import Testing

@testable import PartnersAPI

@Suite("Endpoints: requests and answers", .timeLimit(.minutes(5)))
struct EndpointTests {
  /// Serves the same answer to every request.
  private func serving(
    _ status: Int, _ body: String, type: String? = "application/json", headers: [String] = [],
    _ test: (ClientFixture) async throws -> Void
  ) async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil { connection.answer(status, body, type: type, headers: headers) }
    }
    try await ClientFixture.with(script: script, test)
  }

  @Test("a page of referrals")
  func list() async throws {
    let body = #"{"referrals":[\#(ClientFixture.referral)],"pagination":{"page":1,"pageSize":100,"total":137}}"#
    try await serving(200, body, headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"]) { fixture in
      var query = ReferralQuery()
      query.status = .pending
      query.referrerEmail = "a+b@example.com"
      query.search = "x&page=9\r\nX-Evil: 1 #é"
      query.dateFrom = Timestamp(milliseconds: 1_765_467_600_000)
      (query.sortBy, query.sortOrder, query.page, query.pageSize) = (.createdAt, .ascending, 1, 100)
      let answer = await fixture.client.list(query)
      let page = try #require(answer.value)
      #expect(page.total == 137)
      #expect(page.referrals.first?.createdAt == Timestamp(milliseconds: 1_765_467_600_123))
      #expect(page.referrals.first?.referrerIdentifier == "cust_42")
      #expect(answer.head?.date == Timestamp(milliseconds: 784_111_777_000))
      let line = try #require(fixture.server.requests.first?.split(separator: "\r\n").first)
      #expect(
        line == "GET /api/v1/partners/referrals?status=pending&referrerEmail=a%2Bb%40example.com"
          + "&dateFrom=1765467600000&search=x%26page%3D9%0D%0AX-Evil%3A%201%20%23%C3%A9"
          + "&sortBy=createdAt&sortOrder=asc&page=1&pageSize=100 HTTP/1.1")
    }
  }

  @Test("create and update")
  func createAndUpdate() async throws {
    let body = #"{"referralId":"jx7","referralCode":"a1b2c3d4","status":"pending","idempotent":true}"#
    try await serving(200, body) { fixture in
      let draft = ReferralDraft(
        referrerIdentifier: "cust_42", friendEmail: "ana@example.com", friendName: "A\"\n", externalSourceID: "lead",
        metadata: #"{"campaign":"spring"}"#)
      let created = await fixture.client.create(draft)
      #expect(created.value?.idempotent == true)
      let updated = await fixture.client.update(ReferralID("jx7"), ReferralChange(externalSourceID: "lead_991"))
      guard case .success = updated else { return #expect(Bool(false), "\(updated)") }
      let requests = fixture.server.requests
      #expect(
        requests[0].hasSuffix(
          #"{"referrerIdentifier":"cust_42","friendEmail":"ana@example.com","friendName":"A\"\n","#
            + #""externalSourceId":"lead","metadata":{"campaign":"spring"}}"#))
      #expect(requests[1].hasPrefix("PATCH /api/v1/partners/referrals/jx7 HTTP/1.1\r\n"))
      #expect(requests[1].hasSuffix(#"{"externalSourceId":"lead_991"}"#))
      let pacing = try await fixture.pacer.snapshot()
      #expect(pacing.writes.inFlight == 0)
    }
  }

  @Test(
    "an ID can't become another endpoint",
    arguments: [
      ("../../admin", "..%2F..%2Fadmin"), ("a/convert", "a%2Fconvert"), ("a?b=c#d", "a%3Fb%3Dc%23d"),
      ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"), ("%2e%2e", "%252e%252e"), ("é🦀", "%C3%A9%F0%9F%A6%80"),
      ("jx7-._~", "jx7-._~"), (".a", ".a"), ("a\0b", "a%00b"),
    ])
  func hostileID(_ id: String, _ encoded: String) async throws {
    try await serving(200, ClientFixture.receipt) { fixture in
      _ = try await fixture.convert(id)
      let line = fixture.server.requests.first?.split(separator: "\r\n").first
      #expect(line == "POST /api/v1/partners/referrals/\(encoded)/convert HTTP/1.1")
    }
  }

  @Test(
    "an ID that no URL can hold is not sent, and its permit is given back",
    arguments: [
      "", ".", "..", "...", String(repeating: "x", count: 513),
    ])
  func impossibleID(_ id: String) async throws {
    try await serving(200, ClientFixture.receipt) { fixture in
      let answer = try await fixture.convert(id)
      #expect(answer.failure?.code == nil)
      #expect(answer.head?.status == 400)
      #expect(await fixture.client.referral(ReferralID(id)).head?.status == 400)
      #expect(await fixture.client.update(ReferralID(id), ReferralChange()).head?.status == 400)
      #expect(fixture.server.accepts == 0)
      #expect(try await fixture.pacer.snapshot().writes.sends.isEmpty)
    }
  }

  @Test(
    "2xx without the promised shape is malformed",
    arguments: [
      "", "{", "[]", "null", "<html>", "{\"referralId\":\"r1\"}",
      ClientFixture.receipt + "x", ClientFixture.receipt + "{}",
      ClientFixture.receipt.replacingOccurrences(of: "converted\"", with: "rewarded\""),
      ClientFixture.receipt.replacingOccurrences(of: "\"12999\"", with: "\"129.99\""),
      ClientFixture.receipt.replacingOccurrences(of: "\"12999\"", with: "\"-1\""),
      ClientFixture.receipt.replacingOccurrences(of: "\"12999\"", with: "\"99999999999999999999\""),
      ClientFixture.receipt.replacingOccurrences(of: "\"12999\"", with: "12999"),
      ClientFixture.receipt.replacingOccurrences(of: "1765467600000", with: "1765467600000.5"),
      ClientFixture.receipt.replacingOccurrences(of: "1765467600000", with: "1e40"),
      ClientFixture.receipt.replacingOccurrences(of: "false", with: "0"),
      String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000),
    ])
  func malformed(_ body: String) async throws {
    try await serving(201, body) { fixture in
      let answer = try await fixture.convert()
      #expect(answer.failure?.isMalformed == true, "\(answer)")
      #expect(answer.head?.status == 201)
    }
  }

  @Test("whole numbers may be written with a fraction of zero; unknown members and null are passed over")
  func lenient() async throws {
    let body = ClientFixture.receipt.replacingOccurrences(of: "1765467600000", with: "1.7654676e12")
      .replacingOccurrences(of: "\"12999\"", with: "null").replacingOccurrences(of: "{", with: "{\"x\":[[]],")
    try await serving(200, body) { fixture in
      let receipt = try #require(try await fixture.convert().value)
      #expect(receipt.convertedAt == Timestamp(milliseconds: 1_765_467_600_000))
      #expect(receipt.conversionValue == nil)
    }
  }

  @Test("a page of more than 1,000 referrals is malformed")
  func hugePage() async throws {
    let entries = Array(repeating: #"{"referralId":"r","status":"clicked","createdAt":1}"#, count: 1001)
    let body = #"{"referrals":[\#(entries.joined(separator: ","))],"pagination":{"page":1,"pageSize":1,"total":1}}"#
    try await serving(200, body) { fixture in
      #expect(await fixture.client.list(ReferralQuery()).failure?.isMalformed == true)
    }
  }

  @Test("the API's own errors")
  func errors() async throws {
    let field = #"{"field":"friendEmail","message":"Invalid\u0000\u202e email"}"#
    let fields = Array(repeating: field, count: 30).joined(separator: ",")
    let body = """
      {"error":{"code":"VALIDATION_ERROR","message":"\(String(repeating: "é", count: 400))","fields":[\(fields),1,{}],\
      "retryAfterMs":12000}}
      """
    try await serving(400, body, headers: ["Retry-After: 3"]) { fixture in
      let failure = try #require(try await fixture.convert().failure)
      #expect(failure.code == "VALIDATION_ERROR")
      #expect(failure.message == String(repeating: "é", count: 300))
      #expect(failure.fields.count == 20)
      #expect(failure.fields.first == APIFailure.Field(field: "friendEmail", message: "Invalid   email"))
      #expect(failure.retryAfter == .seconds(12))
      #expect(!failure.isMalformed)
    }
  }

  @Test(
    "errors that are not the API's",
    arguments: [
      (502, "<html>Bad gateway</html>", "text/html; charset=utf-8", "HTTP 502, text/html"),
      (500, "", nil, "HTTP 500, without a content type"),
      (503, "{\"error\":\"busy\"}", "application/json", "HTTP 503, application/json"),
      (404, "[]", "text/plain", "HTTP 404, text/plain"),
    ] as [(Int, String, String?, String)])
  func foreignErrors(_ status: Int, _ body: String, _ type: String?, _ message: String) async throws {
    try await serving(status, body, type: type) { fixture in
      let answer = try await fixture.convert()
      #expect(answer.head?.status == status)
      #expect(answer.failure == APIFailure(code: nil, message: message, isMalformed: true))
    }
  }

  @Test("an answer that shows another referral than the one that was asked for is none")
  func otherReferral() async throws {
    try await serving(200, ClientFixture.referral, type: "application/json") { fixture in
      #expect(await fixture.client.referral(ReferralID("jx7")).value != nil)
      let failure = await fixture.client.referral(ReferralID("jx8")).failure
      #expect(failure?.isMalformed == true)
    }
  }

  @Test("a 429 blocks the next write; reads go on")
  func rateLimited() async throws {
    let body = #"{"error":{"code":"RATE_LIMITED","message":"Slow down","retryAfterMs":1500}}"#
    let script: @Sendable (StubConnection) -> Void = { connection in
      while let request = connection.readRequest() {
        if request.hasPrefix("POST") {
          connection.answer(429, body)
        } else {
          connection.answer(200, ClientFixture.referral)
        }
      }
    }
    try await ClientFixture.with(script: script) { fixture in
      let start = ContinuousClock.now
      let answer = try await fixture.convert()
      #expect(answer.failure?.retryAfter == .milliseconds(1500))
      #expect(await fixture.client.referral(ReferralID("jx7")).value != nil)
      await fixture.client.cancel(try await fixture.client.reserveConversion())
      #expect(ContinuousClock.now - start > .milliseconds(2500), "what was asked for and a second")
    }
  }

  @Test(
    "a 429 asks for a wait in any form; what nobody can mean is an hour",
    arguments: [
      (["Retry-After: 12"], "", 12),
      (["Date: Sun, 06 Nov 1994 08:49:30 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"], "", 7),
      ([], "", nil), (["Retry-After: 0"], "", 0), (["Retry-After: -1"], "", 3600),
      (["Retry-After: 1000000000"], "", 3600), (["Retry-After: soon"], "", 3600),
      (["Retry-After: 99999999999999999999"], "", 3600),
      (["Retry-After: 3"], #","retryAfterMs":12000"#, 12), (["Retry-After: 30"], #","retryAfterMs":12000"#, 30),
      (["Retry-After: soon"], #","retryAfterMs":250"#, 0.25),
    ] as [([String], String, Double?)])
  func retryAfter(headers: [String], milliseconds: String, seconds: Double?) async throws {
    let body = #"{"error":{"code":"RATE_LIMITED","message":"Slow down"\#(milliseconds)}}"#
    try await serving(429, body, headers: headers) { fixture in
      let answer = try await fixture.convert()
      #expect(answer.head?.status == 429)
      #expect(answer.failure?.retryAfter == seconds.map { .milliseconds(Int64($0 * 1000)) })
    }
  }

  @Test("the key is in no text, whoever repeats it")
  func canary() async throws {
    let key = ClientFixture.keyText
    let body =
      #"{"error":{"code":"\#(key)","message":"key \#(key)","fields":[{"field":"\#(key)","message":"\#(key)"}]}}"#
    var texts: [String] = []
    try await serving(401, body, type: key) { fixture in
      texts.append("\(try await fixture.convert())")
      texts.append(String(reflecting: fixture.client))
      dump(fixture.client, to: &texts[texts.count - 1])
    }
    // Keys that are cut at each place, by themselves and after others that became shorter.
    for count in stride(from: 0, to: 340, by: 20) {
      let long = String(repeating: "x", count: count) + String(repeating: key, count: 200)
      try await serving(401, #"{"error":{"code":"A","message":"\#(long)"}}"#) { fixture in
        texts.append("\(try await fixture.convert())")
      }
    }
    try await serving(500, "<html>", type: "text/\(key)") { fixture in texts.append("\(try await fixture.convert())") }
    try await ClientFixture.with(timeout: .milliseconds(200), script: { $0.hang() }) { fixture in
      texts.append("\(try await fixture.convert())")
    }
    #expect(texts.count == 21)
    // Expects no text to hold the key, or any part of it that is of use.
    for text in texts { #expect(!text.contains("oft_0")) }
  }
}
