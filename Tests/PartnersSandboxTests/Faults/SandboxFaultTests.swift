import PartnersSandbox
import Testing

/// Each fault on order, seen by a client that looks at the bytes.
@Suite(.timeLimit(.minutes(5))) struct SandboxFaultTests {
  private static let path = "/api/v1/partners/referrals/r1/convert"
  private static let body = #"{"conversionValue":12999,"externalTransactionId":"order_77"}"#
  private static let request = RawClient.request("POST", path, body)

  /// Runs a sandbox with one pending referral `r1` and the faults.
  private func sandbox(
    _ rules: [SandboxFaultRule], _ body: (PartnersSandbox, SandboxAddress) async throws -> Void
  ) async throws {
    try await withSandbox { sandbox, address in
      try await sandbox.put([SandboxReferral(referralID: "r1", friendEmail: "ana@example.com")])
      for rule in rules { await sandbox.order(rule) }
      try await body(sandbox, address)
    }
  }

  private func isConverted(_ sandbox: PartnersSandbox) async -> Bool {
    await sandbox.state.referral("r1")?.status == .converted
  }

  @Test(
    "429 with any Retry-After, or none",
    arguments: [
      ("7", 7000), ("Sun, 06 Nov 2044 08:49:37 GMT", nil), (nil, nil), ("0", 0), ("-1", -1), ("1000000000", 1),
      ("5", 60_000),
    ] as [(String?, Int64?)])
  func rateLimited(_ retryAfter: String?, _ milliseconds: Int64?) async throws {
    let answer = SandboxAnswer.rateLimited(retryAfter: retryAfter, retryAfterMilliseconds: milliseconds)
    try await sandbox([SandboxFaultRule(.answer(answer))]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let refused = try await client.answer()
        #expect(refused.status == 429)
        #expect(refused.header("Retry-After") == retryAfter)
        #expect(refused.json?["error"]?["retryAfterMs"]?.wholeNumber == milliseconds)
        #expect(await !isConverted(sandbox))
        try await client.send(Self.request)
        #expect(try await client.answer().status == 201, "the rule struck once")
      }
    }
  }

  @Test("502 as HTML, after the work or without it", arguments: [false, true])
  func html(_ afterWork: Bool) async throws {
    try await sandbox([SandboxFaultRule(.answer(.html(502), afterWork: afterWork))]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let answer = try await client.answer()
        #expect(answer.status == 502)
        #expect(answer.header("Content-Type") == "text/html")
        #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("<html>"))
        #expect(await isConverted(sandbox) == afterWork)
      }
    }
  }

  @Test("A redirect to another host") func redirect() async throws {
    let answer = SandboxAnswer(307, headers: [.init("Location", "http://127.0.0.2:9/steal")], body: "")
    try await sandbox([SandboxFaultRule(.answer(answer))]) { _, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let answer = try await client.answer()
        #expect(answer.status == 307)
        #expect(answer.header("Location") == "http://127.0.0.2:9/steal")
      }
    }
  }

  @Test("delay: the work is done on arrival, the answer comes late; or both come late", arguments: [true, false])
  func delay(_ afterWork: Bool) async throws {
    let rule = SandboxFaultRule(.delay(.milliseconds(800), afterWork: afterWork))
    try await sandbox([rule]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        while await sandbox.state.counters.faults == 0 { try await Task.sleep(for: .milliseconds(2)) }
        while afterWork, await !isConverted(sandbox) { try await Task.sleep(for: .milliseconds(2)) }
        let early = await sandbox.state
        #expect(early.requests.isEmpty, "not answered yet")
        #expect(early.converted.count == (afterWork ? 1 : 0))
        #expect(try await client.answer().status == 201)
        #expect(try #require(await sandbox.state.requests.first).duration >= .milliseconds(800))
      }
    }
  }

  @Test("hang: never an answer, the work undone, and others aren't held up") func hang() async throws {
    try await sandbox([SandboxFaultRule(.hang(), times: 20)]) { sandbox, address in
      var hanging: [RawClient] = []
      for _ in 0..<20 {
        let client = try await RawClient(address)
        try await client.send(Self.request)
        hanging.append(client)
      }
      try await withRawClient(address) { client in
        while await sandbox.state.counters.faults < 20 { try await Task.sleep(for: .milliseconds(5)) }
        try await client.send(RawClient.request("GET", "/api/v1/partners/referrals/r1"))
        #expect(try await client.answer().json?["status"] == "pending")
      }
      let (bytes, ending) = await hanging[0].rest(within: .milliseconds(200))
      #expect(bytes.isEmpty)
      #expect(ending == .stillOpen)
      for client in hanging { await client.close() }
    }
  }

  @Test("reset: a TCP reset, before or after the work", arguments: [false, true])
  func reset(_ afterWork: Bool) async throws {
    try await sandbox([SandboxFaultRule(.reset(afterWork: afterWork))]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let (bytes, ending) = await client.rest()
        #expect(bytes.isEmpty)
        #expect(ending == .reset)
        #expect(await isConverted(sandbox) == afterWork)
        #expect(await sandbox.state.requests.last?.status == nil)
      }
    }
  }

  @Test("truncate: the work is done, and the answer is shorter than its Content-Length") func truncate() async throws {
    try await sandbox([SandboxFaultRule(.truncate(bodyBytes: 10))]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let (bytes, ending) = await client.rest()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(ending == .closed)
        #expect(text.hasPrefix("HTTP/1.1 201 "))
        #expect(text.hasSuffix("\r\n\r\n{\"referral"))
        let announced = RawClient.Answer(head: text, body: []).header("Content-Length").flatMap { Int($0) }
        #expect(try #require(announced) > 10)
        #expect(await isConverted(sandbox))
      }
    }
  }

  @Test("loseAnswer: the work is done, the connection ends without a byte, and the replay is answered 200")
  func loseAnswer() async throws {
    try await sandbox([SandboxFaultRule(.loseAnswer)]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let (bytes, ending) = await client.rest()
        #expect(bytes.isEmpty)
        #expect(ending == .closed)
        #expect(await isConverted(sandbox))
      }
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let replay = try await client.answer()
        #expect(replay.status == 200)
        #expect(replay.json?["idempotent"] == true)
      }
      let bodies = await sandbox.state.requests.map(\.body)
      #expect(bodies == [Array(Self.body.utf8), Array(Self.body.utf8)])
    }
  }

  @Test("trickle: one byte at a time") func trickle() async throws {
    try await sandbox([SandboxFaultRule(.trickle(every: .milliseconds(10)))]) { _, address in
      try await withRawClient(address) { client in
        let start = ContinuousClock.now
        try await client.send(Self.request)
        let first = try await client.readOnce()
        let answer = try await client.answer()
        let count = answer.head.utf8.count + 4 + answer.body.count
        #expect(answer.status == 201)
        #expect(first < count)
        #expect(ContinuousClock.now - start >= .milliseconds(10) * (count - 1))
      }
    }
  }

  @Test(
    "garbage: an answer of 201 whose body is spoilt",
    arguments: [.trailing, .notJSON, .huge(bytes: 3_000_000), .deep(levels: 1000)] as [SandboxFault.Garbage])
  func garbage(_ garbage: SandboxFault.Garbage) async throws {
    try await sandbox([SandboxFaultRule(.garbage(garbage))]) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        let answer = try await client.answer()
        #expect(answer.status == 201)
        switch garbage {
        case .trailing: #expect(answer.json == nil && answer.body.starts(with: Array(#"{"referralId":"r1""#.utf8)))
        case .notJSON, .deep: #expect(answer.json == nil)
        case .huge: #expect(answer.json != nil && answer.body.count == 3_000_000)
        }
        #expect(await isConverted(sandbox))
      }
    }
  }

  @Test("Rules mean a method, a path, a referral and a transaction ID, let some through, and run out")
  func matching() async throws {
    let bad = SandboxFault.answer(SandboxAnswer(500))
    let rules = [
      SandboxFaultRule(bad, on: .init(transactionID: "other"), times: nil),
      SandboxFaultRule(bad, on: .init(referralID: "r2"), times: nil),
      SandboxFaultRule(bad, on: .init(method: "GET", pathPrefix: "/api/v1/partners/referrals/r1"), after: 1, times: 2),
    ]
    try await sandbox(rules) { sandbox, address in
      try await withRawClient(address) { client in
        func status(_ request: String) async throws -> Int? {
          try await client.send(request)
          return try await client.answer().status
        }
        #expect(try await status(Self.request) == 201)
        #expect(try await status(RawClient.request("POST", Self.path, #"{"externalTransactionId":"other"}"#)) == 500)
        #expect(try await status(RawClient.request("GET", "/api/v1/partners/referrals/r2")) == 500)
        var statuses: [Int?] = []
        for _ in 0..<4 { statuses.append(try await status(RawClient.request("GET", "/api/v1/partners/referrals/r1"))) }
        #expect(statuses == [200, 500, 500, 200])
        #expect(await sandbox.state.faults.count == 2)
        await sandbox.removeFaults()
        #expect(try await status(RawClient.request("GET", "/api/v1/partners/referrals/r2")) == 404)
      }
    }
  }

  @Test("A probability is drawn from the seed: the same faults at each run") func probability() async throws {
    func run(seed: UInt64) async throws -> [Int?] {
      var configuration = SandboxConfiguration.unlimited
      configuration.seed = seed
      return try await withSandbox(configuration) { sandbox, address in
        await sandbox.order(SandboxFaultRule(.answer(SandboxAnswer(503)), times: nil, probability: 0.4))
        return try await withRawClient(address) { client in
          var statuses: [Int?] = []
          for _ in 0..<60 {
            try await client.send(RawClient.request("GET", "/api/v1/partners/referrals"))
            statuses.append(try await client.answer().status)
          }
          return statuses
        }
      }
    }
    let first = try await run(seed: 7)
    #expect(try await run(seed: 7) == first)
    #expect(try await run(seed: 8) != first)
    #expect((10...40).contains(first.count { $0 == 503 }))
  }

  @Test("An outage: refused while stopped, then the same port and the same referrals") func outage() async throws {
    try await sandbox([]) { sandbox, address in
      await sandbox.stop()
      await #expect(throws: (any Error).self) { _ = try await RawClient(address) }
      #expect(try await sandbox.start() == address)
      try await withRawClient(address) { client in
        try await client.send(Self.request)
        #expect(try await client.answer().status == 201)
      }
    }
  }

  @Test("Latency passes for every answer") func latency() async throws {
    var configuration = SandboxConfiguration.unlimited
    configuration.latency = .milliseconds(60)...(.milliseconds(80))
    try await withSandbox(configuration) { sandbox, address in
      try await withRawClient(address) { client in
        try await client.send(RawClient.request("GET", "/api/v1/partners/referrals"))
        #expect(try await client.answer().status == 200)
      }
      #expect(try #require(await sandbox.state.requests.first).duration >= .milliseconds(60))
    }
  }
}
