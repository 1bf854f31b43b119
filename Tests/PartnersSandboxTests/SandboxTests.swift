import PartnersSandbox
import Testing

@testable import enum PartnersSandbox.TargetMask

/// Tests the parts that only the sandbox has: control endpoints, the log, keys and replays that change, many clients.
@Suite(.timeLimit(.minutes(5))) struct SandboxTests {
  private static let key = SandboxConfiguration.defaultKey

  private func client(_ address: SandboxAddress) -> APIClient { APIClient(baseURL: address.baseURL, key: Self.key) }

  private func control(_ address: SandboxAddress) -> APIClient { APIClient(baseURL: address.controlURL) }

  @Test("Only loopback is listened on unless told otherwise") func loopback() async throws {
    var configuration = SandboxConfiguration()
    configuration.host = "0.0.0.0"
    await #expect(throws: SandboxError.notLoopback(host: "0.0.0.0")) {
      try await PartnersSandbox(configuration).start()
    }
    configuration.allowsOtherHosts = true
    try await withSandbox(configuration) { _, address in
      let client = APIClient(baseURL: "http://127.0.0.1:\(address.port)/api/v1/partners")
      let answer = try await client.get("/referrals")
      #expect(answer.status == 401)
    }
  }

  @Test("A port that is taken is told") func takenPort() async throws {
    try await withSandbox { _, address in
      var configuration = SandboxConfiguration()
      configuration.port = address.port
      let error = await #expect(throws: SandboxError.self) { try await PartnersSandbox(configuration).start() }
      #expect(error.map(String.init(describing:))?.contains("port \(address.port)") == true)
    }
  }

  @Test("run() serves until it is cancelled, and waitUntilListening() tells when") func run() async throws {
    let sandbox = PartnersSandbox(.unlimited)
    let running = Task { try await sandbox.run() }
    let address = try await sandbox.waitUntilListening()
    #expect(try await client(address).get("/referrals").status == 200)
    running.cancel()
    try await running.value
    await #expect(throws: (any Error).self) { _ = try await RawClient(address) }
  }

  @Test("Control endpoints add and patch referrals, without key and limits") func referrals() async throws {
    var configuration = SandboxConfiguration()
    configuration.writeLimit = SandboxRateLimit(1)
    try await withSandbox(configuration) { sandbox, address in
      let control = control(address)
      let list: SandboxJSON = [["referralId": "r1", "status": "clicked", "createdAt": 5], ["referralId": "r2"]]
      #expect(try await control.post("/referrals", list).status == 200)
      let patched = try await control.post(
        "/referrals", ["referralId": "r1", "status": "pending", "friendEmail": "ana@example.com"])
      #expect(patched["referrals"]?.elements?.first?["createdAt"] == 5, "what isn't named stays")
      #expect(try await client(address).get("/referrals/r1")["friendEmail"] == "ana@example.com")
      #expect(try await client(address).get("/referrals", "status=clicked")["pagination"]?["total"] == 0)
      let wrong = try await control.post("/referrals", [["referralId": "r3"], ["status": "lost"]])
      expectError(wrong, 400, "VALIDATION_ERROR", field: "referrals[1].status")
      #expect(await sandbox.state.referral("r3") == nil, "all or none")
      let state = try await control.get("/state")
      #expect(state["referrals"]?.elements?.count == 2)
      #expect(state["counters"]?["requests"] == 2)
      try await sandbox.change("r2") { $0.status = .expired }
      let expired = try await client(address).post("/referrals/r2/convert", [:])
      expectError(expired, 400, "VALIDATION_ERROR", field: "referralId")
      await #expect(throws: SandboxError.noSuchReferral("r9")) { try await sandbox.change("r9") { _ in } }
    }
  }

  @Test("Control endpoints order, list and remove faults") func faults() async throws {
    try await withSandbox { sandbox, address in
      let control = control(address)
      let rules: SandboxJSON = [
        "rules": [
          [
            "match": ["method": "GET"], "action": "status", "status": 503, "headers": ["Retry-After": 9],
            "contentType": "text/html", "body": "<p>", "times": 2,
          ],
          ["action": "delay", "ms": 1, "times": "forever"], ["action": "hang", "match": ["referralId": "r9"]],
          ["action": "reset", "afterWork": true, "probability": 0], ["action": "truncate", "bytes": 3, "after": 9],
          ["action": "trickle", "match": ["transactionId": "o"]], ["action": "loseAnswer", "after": 100],
          ["action": "garbage", "kind": "deep", "levels": 9, "after": 100],
          ["action": "status", "status": 200, "bodyBase64": "H4sI", "after": 100],
        ]
      ]
      #expect(try await control.post("/faults", rules)["rules"]?.elements?.count == 9)
      let answer = try await withRawClient(address) { client in
        try await client.send(RawClient.request("GET", "/api/v1/partners/referrals"))
        return try await client.answer()
      }
      #expect(answer.status == 503)
      #expect(answer.header("Retry-After") == "9")
      #expect(answer.header("Content-Type") == "text/html")
      #expect(answer.body == Array("<p>".utf8))
      #expect(try await control.get("/faults")["rules"]?.elements?.first?["times"] == 1)
      #expect(try await control.send("DELETE", "/faults", nil)["rules"] == [])
      #expect(try await client(address).get("/referrals").status == 200)
      #expect(await sandbox.state.counters.faults == 1)
    }
  }

  @Test(
    "A fault that makes no sense is refused with its place",
    arguments: [
      (["action": "explode"], "rules[0].action"), ([:], "rules[0].action"), (["action": "delay"], "rules[0].ms"),
      (["action": "status"], "rules[0].status"), (["action": "status", "status": 99], "rules[0].status"),
      (["action": "hang", "ms": 1], "rules[0].ms"), (["action": "hang", "times": 0], "rules[0].times"),
      (["action": "garbage", "kind": "x"], "rules[0].kind"),
      (["action": "hang", "probability": 2], "rules[0].probability"),
      (["action": "hang", "match": ["verb": "GET"]], "rules[0].match.verb"),
      (["action": "status", "status": 429, "headers": ["Retry-After": "1\r\nX: y"]], "rules[0].headers"),
    ] as [(SandboxJSON, String)])
  func wrongFault(_ rule: SandboxJSON, _ field: String) async throws {
    try await withSandbox { sandbox, address in
      expectError(try await control(address).post("/faults", [rule]), 400, "VALIDATION_ERROR", field: field)
      #expect(await sandbox.state.faults.isEmpty)
    }
  }

  @Test("alwaysConflict answers a replay with 409, and the referral stays as it was") func alwaysConflict() async throws
  {
    var configuration = SandboxConfiguration.unlimited
    configuration.conversionReplay = .alwaysConflict
    try await withSandbox(configuration) { _, address in
      let client = client(address)
      let id = try await client.newReferral()
      let body: SandboxJSON = ["externalTransactionId": "o", "conversionValue": 5]
      #expect(try await client.post("/referrals/\(id)/convert", body).status == 201)
      expectError(try await client.post("/referrals/\(id)/convert", body), 409, "DUPLICATE_CONVERSION")
      #expect(try await client.get("/referrals/\(id)")["conversionValue"] == "5")
    }
  }

  @Test("Keys, limits and replays change while it runs") func changes() async throws {
    try await withSandbox { sandbox, address in
      let client = client(address)
      await sandbox.setKeys([:])
      #expect(try await client.get("/referrals").status == 401)
      await sandbox.setKeys([:], unapproved: [Self.key])
      #expect(try await client.get("/referrals").status == 403)
      await sandbox.setKeys([Self.key: SandboxConfiguration.defaultPartner])
      #expect(try await client.get("/referrals").status == 200)
      await sandbox.setLimits(writes: SandboxRateLimit(1, shape: .sliding), conversions: nil)
      var impatient = client
      impatient.waits = false
      _ = try await impatient.newReferral()
      #expect(try await impatient.post("/referrals", [:]).status == 429)
      #expect(await sandbox.state.counters.rateLimited == 1)
    }
  }

  @Test("The log has one record a request, with the body, and its line shows neither key nor e-mail")
  func log() async throws {
    try await withSandbox { sandbox, address in
      let stream = await sandbox.requestStream()
      let client = client(address)
      let id = try await client.newReferral(email: "secret.person@example.com")
      _ = try await client.get("/referrals", "search=secret.person%40example.com&referrerEmail=b@example.org")
      _ = try await client.get("/referrals", "search=\(Self.key)")
      _ = try await client.post("/referrals/\(id)/convert", ["externalTransactionId": "o"])
      var lines: [String] = []
      for await record in stream {
        lines.append(record.line)
        if record.number == 4 { break }
      }
      #expect(lines.count == 4)
      #expect(lines[0].contains(" POST /api/v1/partners/referrals 201 "))
      #expect(lines[1].contains("?search=s***@example.com&referrerEmail=b***@example.org 200 "))
      for line in lines { #expect(!line.contains(Self.key) && !line.contains("secret.person")) }
      let record = try #require(await sandbox.state.requests.last)
      #expect(record.body == Array(#"{"externalTransactionId":"o"}"#.utf8))
      #expect(record.status == 201)
      #expect(record.path == "/api/v1/partners/referrals/\(id)/convert")
    }
  }

  @Test(
    "Targets are masked",
    arguments: [
      ("/a/b?x=1", "/a/b?x=1"), ("/a/ana%40b.de/c", "/a/a***@b.de/c"), ("?q=%C3%A9a@b.de", "?q=***@b.de"),
      ("?k=oft_12", "?k=oft_***"), ("?k=OFT%5F12", "?k=oft_***"), ("?q=a@b%0Ac", "?q=a***@b?c"),
    ])
  func mask(_ target: String, _ masked: String) { #expect(TargetMask.masked(target) == masked) }

  @Test("The same seed makes the same IDs") func seeded() async throws {
    func ids(_ seed: UInt64) async throws -> [String] {
      var configuration = SandboxConfiguration.unlimited
      configuration.seed = seed
      return try await PartnersSandbox(configuration).put([SandboxReferral(), SandboxReferral()]).map(\.referralID)
    }
    #expect(try await ids(3) == ids(3))
    #expect(try await ids(3) != ids(4))
  }

  @Test("200 clients at once are served, each its own answers") func manyClients() async throws {
    try await withSandbox { sandbox, address in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<200 {
          group.addTask {
            try await withRawClient(address) { client in
              let create = #"{"referrerIdentifier":"c","friendEmail":"f\#(index)@example.com","friendName":"A"}"#
              try await client.send(RawClient.request("POST", "/api/v1/partners/referrals", create))
              let id = try #require(try await client.answer().json?["referralId"]?.text)
              for expected in [201, 200] {
                let body = #"{"externalTransactionId":"o\#(index)","conversionValue":\#(index)}"#
                let path = "/api/v1/partners/referrals/\(id)/convert"
                try await client.send(RawClient.request("POST", path, body))
                let answer = try await client.answer()
                #expect(answer.status == expected)
                #expect(answer.json?["conversionValue"]?.text == String(index))
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let counters = await sandbox.state.counters
      #expect(counters.created == 200)
      #expect(counters.converted == 200)
      #expect(counters.replayed == 200)
    }
  }

  @Test("Beyond the places there are, a client is answered 503, and served once one is free") func places() async throws
  {
    var configuration = SandboxConfiguration.unlimited
    configuration.connectionsMax = 2
    try await withSandbox(configuration) { _, address in
      let request = RawClient.request("GET", "/api/v1/partners/referrals")
      try await withRawClient(address) { first in
        try await withRawClient(address) { second in
          try await first.send(request)
          try await second.send(request)
          #expect(try await first.answer().status == 200)
          #expect(try await second.answer().status == 200)
          let third = try await withRawClient(address) { third in try await third.answer().status }
          #expect(third == 503)
        }
        var status: Int? = 503
        while status == 503 {
          status = try await withRawClient(address) { client in
            try await client.send(request)
            return try await client.answer().status
          }
        }
        #expect(status == 200)
      }
    }
  }

  @Test("A page out of 100,000 referrals comes in milliseconds") func manyReferrals() async throws {
    let referrals = (0..<100_000).map { index in
      SandboxReferral(
        referralID: "r\(index)", status: [.clicked, .pending, .expired][index % 3],
        friendEmail: "f\(index)@example.com", createdAt: 1_700_000_000_000 + Int64(index * 7919 % 1_000_003))
    }
    try await withSandbox { sandbox, address in
      try await sandbox.put(referrals)
      let client = client(address)
      for query in [
        "pageSize=100", "page=500&pageSize=100&sortOrder=asc",
        "status=pending&sortBy=createdAt&sortOrder=asc&dateFrom=1700000500000&pageSize=100",
      ] {
        let answer = try await client.get("/referrals", query)
        let times = try #require(answer["referrals"]?.elements).compactMap { $0["createdAt"]?.wholeNumber }
        #expect(times.count == 100)
        #expect(times == times.sorted(by: query.contains("asc") ? (<) : (>)))
      }
      let durations = await sandbox.state.requests.map(\.duration)
      // For a debug build on a busy machine; reading them all would take a hundred times as long.
      #expect(try #require(durations.min()) < .milliseconds(20), "\(durations)")
    }
  }
}
