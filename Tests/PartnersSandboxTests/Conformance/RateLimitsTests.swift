import PartnersSandbox
import Testing

extension Conformance {
  @Suite(.serialized) struct RateLimits {
    /// The served API if it is external, else a sandbox with limits as the reference states them.
    private func limited(
      _ configuration: SandboxConfiguration, _ body: @Sendable (APIClient) async throws -> Void
    ) async throws {
      if var client = ServedAPI.external()?.client {
        client.waits = false
        return try await body(client)
      }
      try await withSandbox(configuration) { _, address in
        try await body(APIClient(baseURL: address.baseURL, key: SandboxConfiguration.defaultKey, waits: false))
      }
    }

    @Test("Write requests are limited to 30 per minute per IP; exceeding it returns 429 with both delays")
    func writes() async throws {
      var configuration = SandboxConfiguration()
      configuration.writeLimit = SandboxRateLimit(30, shape: .sliding)
      try await limited(configuration) { client in
        let id = try await client.newReferral()
        var admitted = 1
        // Two windows' worth, in case a fixed one ends meanwhile.
        var answer = try await client.patch("/referrals/\(id)", ["metadata": ["n": 0]])
        while answer.status == 200, admitted < 62 {
          admitted += 1
          answer = try await client.patch("/referrals/\(id)", ["metadata": ["n": .integer(admitted)]])
        }
        if !ServedAPI.isExternal { #expect(admitted == 30) }
        expectError(answer, 429, "RATE_LIMITED")
        let seconds = try #require(answer.headers["retry-after"].flatMap(Int64.init))
        let milliseconds = try #require(answer["error"]?["retryAfterMs"]?.wholeNumber)
        #expect((1...60).contains(seconds))
        #expect((1...60_000).contains(milliseconds))
        // Rounded up: who waits the header's seconds waits long enough.
        #expect(seconds * 1000 >= milliseconds && (seconds - 1) * 1000 < milliseconds)
        #expect(try await client.get("/referrals/\(id)").status == 200, "reads aren't limited")
      }
    }

    @Test(
      "Conversion reporting is additionally limited to 60 per minute per partner",
      .enabled(if: !ServedAPI.isExternal, "an API's own write limit strikes before"))
    func conversions() async throws {
      var configuration = SandboxConfiguration.unlimited
      configuration.conversionLimit = SandboxRateLimit(60, shape: .sliding)
      try await limited(configuration) { client in
        let id = try await client.newReferral()
        for _ in 0..<60 {
          let answer = try await client.post("/referrals/\(id)/convert", ["externalTransactionId": "order_1"])
          #expect(answer.status == 200 || answer.status == 201)
        }
        let refused = try await client.post("/referrals/\(id)/convert", ["externalTransactionId": "order_1"])
        expectError(refused, 429, "RATE_LIMITED")
        #expect(try await client.patch("/referrals/\(id)", ["metadata": [:]]).status == 200, "other writes go on")
      }
    }

    @Test("Back off and retry", .enabled(if: !ServedAPI.isExternal))
    func retry() async throws {
      var configuration = SandboxConfiguration.unlimited
      configuration.writeLimit = SandboxRateLimit(3, per: .milliseconds(500), shape: .sliding)
      try await limited(configuration) { client in
        var client = client
        for _ in 0..<3 { _ = try await client.newReferral() }
        let refused = try await client.post("/referrals", [:])
        let wait = try #require(refused["error"]?["retryAfterMs"]?.wholeNumber)
        try await Task.sleep(for: .milliseconds(wait))
        client.waits = false
        _ = try await client.newReferral()
      }
    }
  }
}
