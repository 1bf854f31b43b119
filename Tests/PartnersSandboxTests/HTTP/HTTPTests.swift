import PartnersSandbox
import Testing

/// Tests the sandbox's HTTP/1.1.
@Suite(.timeLimit(.minutes(5))) struct HTTPTests {
  private static let list = "/api/v1/partners/referrals"
  private static let creation = #"{"referrerIdentifier":"c","friendEmail":"ana@example.com","friendName":"Ana"}"#

  private func withClient(
    _ configuration: SandboxConfiguration = .unlimited, _ body: (inout RawClient) async throws -> Void
  ) async throws {
    try await withSandbox(configuration) { _, address in try await withRawClient(address, body) }
  }

  @Test("A connection is kept for the next request, also where several were sent at once") func keepAlive() async throws
  {
    try await withClient { client in
      for _ in 0..<3 {
        try await client.send(RawClient.request("GET", Self.list))
        #expect(try await client.answer().status == 200)
      }
      let create = RawClient.request("POST", Self.list, Self.creation)
      try await client.send(create + create + RawClient.request("GET", Self.list))
      #expect(try await client.answer().status == 201)
      #expect(try await client.answer().status == 200)
      #expect(try await client.answer().json?["pagination"]?["total"] == 1)
    }
  }

  @Test("Connection: close and HTTP/1.0 end the connection after the answer") func close() async throws {
    let old = "GET \(Self.list) HTTP/1.0\r\nX-API-Key: \(SandboxConfiguration.defaultKey)\r\n\r\n"
    for request in [RawClient.request("GET", Self.list, headers: ["Connection: close"]), old] {
      try await withClient { client in
        try await client.send(request)
        let answer = try await client.answer()
        #expect(answer.status == 200)
        #expect(answer.header("Connection") == "close")
        #expect(await client.rest().ending == .closed)
      }
    }
  }

  @Test("A chunked body is put together") func chunked() async throws {
    try await withClient { client in
      let head = RawClient.request("POST", Self.list, headers: ["Transfer-Encoding: chunked"])
      let middle = Self.creation.index(Self.creation.startIndex, offsetBy: 20)
      let parts = [String(Self.creation[..<middle]), String(Self.creation[middle...])]
      try await client.send(head)
      for part in parts {
        try await client.send("\(String(part.utf8.count, radix: 16));x=y\r\n")
        try await client.send("\(part)\r\n")
      }
      try await client.send("0\r\nTrailer: x\r\n\r\n" + RawClient.request("GET", Self.list))
      #expect(try await client.answer().status == 201)
      #expect(try await client.answer().status == 200)
    }
  }

  @Test("Expect: 100-continue is answered before the body") func expectContinue() async throws {
    try await withClient { client in
      let length = "Content-Length: \(Self.creation.utf8.count)"
      try await client.send(RawClient.request("POST", Self.list, headers: [length, "Expect: 100-continue"]))
      #expect(try await client.answer().status == 100)
      try await client.send(Self.creation)
      #expect(try await client.answer().status == 201)
    }
  }

  @Test("A request that comes a few bytes at a time is one request") func slowly() async throws {
    try await withClient { client in
      let request = Array(RawClient.request("POST", Self.list, Self.creation))
      for start in stride(from: 0, to: request.count, by: 7) {
        try await client.send(String(request[start..<min(start + 7, request.count)]))
        try await Task.sleep(for: .milliseconds(1))
      }
      #expect(try await client.answer().status == 201)
    }
  }

  @Test("HEAD is GET without a body; OPTIONS lists the methods; others are 405 with Allow") func methods() async throws
  {
    try await withClient { client in
      try await client.send(RawClient.request("HEAD", Self.list))
      let head = try await client.answer(toHead: true)
      #expect(head.status == 200)
      #expect(head.header("Content-Length").flatMap { Int($0) } ?? 0 > 0)
      try await client.send(RawClient.request("OPTIONS", Self.list, key: nil))
      let options = try await client.answer()
      #expect(options.status == 204)
      #expect(options.header("Allow") == "GET, HEAD, POST, OPTIONS")
      try await client.send(RawClient.request("PUT", Self.list + "/r1"))
      let put = try await client.answer()
      #expect(put.status == 405)
      #expect(put.header("Allow") == "GET, HEAD, PATCH, OPTIONS")
      #expect(put.json?["error"]?["code"]?.text == "METHOD_NOT_ALLOWED")
    }
  }

  @Test("Every answer carries a Date") func date() async throws {
    let clock = SandboxClock { SandboxTime(wallMilliseconds: 784_111_777_123, monotonicNanoseconds: 0) }
    try await withSandbox(clock: clock) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(RawClient.request("GET", Self.list))
        #expect(try await client.answer().header("Date") == "Sun, 06 Nov 1994 08:49:37 GMT")
      }
      let line = try #require(await sandbox.state.requests.first).line
      #expect(line == "1994-11-06T08:49:37.123Z GET /api/v1/partners/referrals 200 0 ms")
    }
  }

  @Test("A body that is too large is refused with 413 before it is sent, and the client can read why")
  func tooLarge() async throws {
    var configuration = SandboxConfiguration.unlimited
    configuration.bodyMax = 1000
    for request in [
      RawClient.request("POST", Self.list, headers: ["Content-Length: 1001"]),
      RawClient.request("POST", Self.list, String(repeating: "x", count: 300_000)),
      RawClient.request("POST", Self.list, headers: ["Transfer-Encoding: chunked"]) + "3e9\r\n",
    ] {
      try await withClient(configuration) { client in
        try await client.send(request)
        let answer = try await client.answer()
        #expect(answer.status == 413)
        #expect(answer.json?["error"]?["code"]?.text == "VALIDATION_ERROR")
        #expect(await client.rest().ending == .closed)
      }
    }
  }

  @Test(
    "a request that could be understood in two ways is refused",
    arguments: [
      ("GET / HTTP/1.1\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
      ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400), ("\u{1}\u{2}\u{3}\r\n\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
    ] as [(String, Int)])
  func malformed(_ bytes: String, _ status: Int) async throws {
    try await withClient { client in
      try await client.send(bytes)
      let answer = try await client.answer()
      #expect(answer.status == status)
      #expect(answer.json?["error"]?["code"]?.text == "MALFORMED_REQUEST")
      #expect(await client.rest().ending == .closed)
    }
  }

  @Test("A connection that stays silent is closed") func idle() async throws {
    var configuration = SandboxConfiguration.unlimited
    configuration.idleTimeout = .milliseconds(100)
    try await withClient(configuration) { client in
      try await client.send("GET / HT")
      // Closed, or reset where the machine was too busy to read the bytes in time.
      #expect(await client.rest().ending != .stillOpen)
    }
  }

  @Test("Dot segments and encoded slashes never become another endpoint") func dots() async throws {
    try await withClient { client in
      for path in [
        "\(Self.list)/..", "\(Self.list)/../referrals", "\(Self.list)/%2e%2e", "\(Self.list)/a%2Fconvert", "//",
      ] {
        try await client.send(RawClient.request("GET", path))
        #expect(try await client.answer().status == 404, "\(path)")
      }
      try await client.send(RawClient.request("GET", "\(Self.list)/%zz"))
      #expect(try await client.answer().status == 400)
    }
  }
}
