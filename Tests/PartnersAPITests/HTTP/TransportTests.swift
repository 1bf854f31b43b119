import Conversions
import Foundation
import Testing

@testable import PartnersAPI

@Suite("Transport over a real socket", .timeLimit(.minutes(5)))
struct TransportTests {
  @Test("three requests go over one connection, with the right headers")
  func keepAlive() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil { connection.answer(200, ClientFixture.referral) }
    }
    try await ClientFixture.with(script: script) { fixture in
      for _ in 0..<3 { #expect(await fixture.client.referral(ReferralID("jx7")).value?.code == "a1b2c3d4") }
      #expect(fixture.server.accepts == 1)
      let request = try #require(fixture.server.requests.first)
      #expect(request.hasPrefix("GET /api/v1/partners/referrals/jx7 HTTP/1.1\r\n"))
      for line in ["X-API-Key: \(ClientFixture.keyText)", "Accept: application/json", "User-Agent: conversiond/1.2.3"] {
        #expect(request.contains("\r\n\(line)\r\n"))
      }
      for name in ["expect:", "cookie", "accept-encoding", "content-type"] {
        #expect(!request.lowercased().contains("\r\n\(name)"))
      }
    }
  }

  @Test("a connection that is never idle is made anew all the same: the name may have another address by then")
  func connectionLife() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil { connection.answer(200, ClientFixture.referral) }
    }
    try await ClientFixture.with(connectionLifeMax: .seconds(2), script: script) { fixture in
      let began = ContinuousClock.now
      for _ in 0..<14 {
        _ = await fixture.client.referral(ReferralID("jx7"))
        try await Task.sleep(for: .milliseconds(400))
      }
      let lives = Int((ContinuousClock.now - began).components.seconds / 2)
      #expect((2...lives + 2).contains(fixture.server.accepts))
    }
    let key = try #require(APIKey(ClientFixture.keyText))
    let life = HTTPOptions(apiKey: key, userAgent: "", timeout: .seconds(30)).connectionLifeMax
    #expect(life + .seconds(HTTPOptions.namesKeptSeconds) + .seconds(30) < .seconds(300))
  }

  @Test("writes send the frozen body; one soon after another over the same connection, a later one over a new one")
  func frozenBody() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil { connection.answer(201, ClientFixture.receipt) }
    }
    try await ClientFixture.with(script: script) { fixture in
      #expect(try await fixture.convert().value?.conversionValue == 12_999)
      let first = ContinuousClock.now
      #expect(try await fixture.convert().value?.conversionValue == 12_999)
      // On a machine that was busy elsewhere the first may have grown too old.
      if ContinuousClock.now - first < .milliseconds(500) { #expect(fixture.server.accepts == 1) }
      try await Task.sleep(for: .milliseconds(2500))
      let before = fixture.server.accepts
      #expect(try await fixture.convert().value?.conversionValue == 12_999)
      #expect(fixture.server.accepts == before + 1, "a server may be about to close it")
      let body = #"{"conversionValue":12999,"currency":"EUR","externalTransactionId":"order_77"}"#
      let request = try #require(fixture.server.requests.last)
      #expect(request.hasPrefix("POST /api/v1/partners/referrals/r1/convert HTTP/1.1\r\n"))
      #expect(request.hasSuffix("\r\n\r\n" + body))
      #expect(!request.lowercased().contains("\r\nexpect:"))
    }
  }

  @Test(
    "no write is sent twice by libcurl itself, as it would be where a kept connection dies", arguments: [true, false])
  func noHiddenSend(isReset: Bool) async throws {
    // The second request on a connection is read and never answered.
    let script: @Sendable (StubConnection) -> Void = { connection in
      guard connection.readRequest() != nil else { return }
      connection.answer(201, ClientFixture.receipt)
      guard connection.readRequest() != nil else { return }
      if isReset { connection.reset() }
    }
    try await ClientFixture.with(script: script) { fixture in
      var failures: [TransportFailure] = []
      for _ in 0..<8 {
        if let failure = try await fixture.convert().transportFailure { failures.append(failure) }
      }
      #expect(fixture.server.requests.count == 8)
      #expect(!failures.isEmpty, "every other one goes over a kept connection")
      for failure in failures {
        #expect(failure.kind == .interrupted, "\(failure.message)")
        #expect(failure.mayHaveBeenDone)
      }
    }
  }

  @Test(
    "a permit from before a refusal sends nothing while the wait lasts that the API asks for",
    arguments: [RateLimit.unlimited, .perMinute(6000)])
  func heldBack(_ limit: RateLimit) async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil {
        connection.answer(
          429, #"{"error":{"code":"RATE_LIMITED","message":"slow down"}}"#, headers: ["Retry-After: 60"])
      }
    }
    try await ClientFixture.with(limits: WriteLimits(writes: limit, conversions: limit), script: script) { fixture in
      let permits = [try await fixture.client.reserveConversion(), try await fixture.client.reserveConversion()]
      #expect(try await fixture.convert(permit: permits[0]).head?.status == 429)
      // The second order was looked at and read again meanwhile.
      let failure = try await fixture.convert("r2", permit: permits[1]).transportFailure
      #expect(failure?.kind == .withdrawn && failure?.mayHaveBeenDone == false)
      #expect(fixture.server.requests.count == 1)
    }
  }

  @Test(
    "a permit from before a halt sends nothing", arguments: [401, 403, 302],
    [RateLimit.unlimited, .perMinute(6000)])
  func halted(status: Int, _ limit: RateLimit) async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil {
        connection.answer(status, #"{"error":{"code":"NO","message":"no"}}"#)
      }
    }
    try await ClientFixture.with(limits: WriteLimits(writes: limit, conversions: limit), script: script) { fixture in
      let permits = [try await fixture.client.reserveConversion(), try await fixture.client.reserveConversion()]
      #expect(try await fixture.convert(permit: permits[0]).head?.status == status)
      let failure = try await fixture.convert("r2", permit: permits[1]).transportFailure
      #expect(failure?.kind == .withdrawn && failure?.mayHaveBeenDone == false)
      #expect(fixture.server.requests.count == 1)
      // The probe that lets sending go on has permits of its own.
      #expect(try await fixture.convert().head?.status == status)
    }
  }

  @Test("a trickle of one byte a tenth of a second ends at the deadline")
  func trickle() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      while connection.write(" ") { Thread.sleep(forTimeInterval: 0.1) }
    }
    try await ClientFixture.with(timeout: .milliseconds(700), script: script) { fixture in
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.kind == .timeout)
      #expect(failure.mayHaveBeenDone)
      #expect(failure.duration >= .milliseconds(690))
      #expect(failure.duration < .seconds(2))
    }
  }

  @Test("a server that says nothing ends at the deadline")
  func hang() async throws {
    try await ClientFixture.with(timeout: .milliseconds(400), script: { $0.hang() }) { fixture in
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.kind == .timeout)
      #expect(failure.mayHaveBeenDone)
    }
  }

  /// Bytes after which the server goes away, with a reset or a close.
  static let brokenAnswers: [(String, isReset: Bool)] = [
    ("", true), ("", false), ("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"referralId\"", true),
    ("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"referralId\"", false),
    ("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ref", false), ("HTTP/1.1 20", false),
    ("SSH-2.0-OpenSSH_9.2\r\n", false),
  ]

  @Test("an answer that breaks off is no answer, and the report may have been done", arguments: brokenAnswers)
  func broken(_ bytes: String, isReset: Bool) async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.write(bytes)
      if isReset { connection.reset() }
    }
    try await ClientFixture.with(script: script) { fixture in
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.kind == .interrupted, "\(failure.message)")
      #expect(failure.mayHaveBeenDone)
    }
  }

  @Test("a connection that dies with the API counts as possibly done")
  func deadConnection() async throws {
    // The second request is read, then the whole server goes: another attempt would be refused, and look as if not
    // sent.
    let script: @Sendable (StubConnection) -> Void = { connection in
      guard connection.readRequest() != nil else { return }
      if connection.number == 1 {
        connection.answer(201, ClientFixture.receipt)
        guard connection.readRequest() != nil else { return }
      }
      connection.closeListener()
    }
    try await ClientFixture.with(script: script) { fixture in
      #expect(try await fixture.convert().value != nil)
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.kind == .interrupted, "\(failure.message)")
      #expect(failure.mayHaveBeenDone, "the request was read by the server")
      #expect(fixture.server.requests.count == 2)
    }
  }

  @Test("a refused port and a name that doesn't exist: nothing was sent")
  func notSent() async throws {
    try await ClientFixture.with(script: { _ in }) { fixture in
      let closed = try StubServer { _ in }
      closed.closeListener()
      closed.stop()
      try await Task.sleep(for: .milliseconds(50))
      let closedURL = try #require(closed.baseURL)
      try await ClientFixture.with(baseURL: closedURL, server: closed) { fixture in
        let failure = try #require(try await fixture.convert().transportFailure)
        #expect(failure.kind == .connection)
        #expect(!failure.mayHaveBeenDone)
      }
      let nowhere = try PartnersBaseURL("https://conversiond.invalid/api")
      try await ClientFixture.with(baseURL: nowhere, server: fixture.server, timeout: .seconds(3)) { fixture in
        let start = ContinuousClock.now
        let failure = try #require(try await fixture.convert().transportFailure)
        #expect(failure.kind == .nameResolution, "\(failure.message)")
        #expect(!failure.mayHaveBeenDone)
        #expect(ContinuousClock.now - start < .seconds(6))
      }
    }
  }

  @Test("2 MiB are not taken in, announced or not", arguments: [true, false])
  func tooLarge(isAnnounced: Bool) async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 200 OK\r\n" + (isAnnounced ? "Content-Length: 2097152\r\n\r\n" : "\r\n"))
      for _ in 0..<32 { connection.write(String(repeating: " ", count: 64 << 10)) }
    }
    try await ClientFixture.with(script: script) { fixture in
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.kind == .tooLarge, "\(failure.message)")
      #expect(failure.mayHaveBeenDone)
    }
  }

  @Test("endless headers are not taken in")
  func endlessHeaders() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 200 OK\r\n")
      while connection.write("X-More: \(String(repeating: "x", count: 100))\r\n") {}
    }
    try await ClientFixture.with(script: script) { fixture in
      let answer = try await fixture.convert()
      #expect(answer.transportFailure?.kind == .tooLarge)
    }
  }

  @Test("a redirect is not followed, and nobody else sees the key", arguments: [301, 302, 303, 307, 308])
  func redirect(_ status: Int) async throws {
    let other = try StubServer { _ = $0.readRequest() }
    defer { other.stop() }
    let port = other.port
    let script: @Sendable (StubConnection) -> Void = { connection in
      while connection.readRequest() != nil {
        connection.answer(status, "", headers: ["Location: http://127.0.0.1:\(port)/"])
      }
    }
    try await ClientFixture.with(script: script) { fixture in
      let answer = try await fixture.convert()
      #expect(answer.head?.status == status)
      #expect(answer.failure?.message.contains("not followed") == true)
      #expect(await fixture.client.list(ReferralQuery()).head?.status == status)
      #expect(other.accepts == 0)
    }
  }

  @Test("cancelling ends a transfer within 100 ms")
  func cancellation() async throws {
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.hang()
    }
    try await ClientFixture.with(script: script) { fixture in
      var best = Duration.seconds(60)
      for count in 1...3 {
        let permit = try await fixture.client.reserveConversion()
        let task = Task { try await fixture.convert(permit: permit) }
        while fixture.server.requests.count < count { try await Task.sleep(for: .milliseconds(5)) }
        let start = ContinuousClock.now
        task.cancel()
        let failure = try #require(try await task.value.transportFailure)
        best = min(best, ContinuousClock.now - start)
        #expect(failure.kind == .cancelled)
        #expect(failure.mayHaveBeenDone)
      }
      // The best of three, as the machine is shared.
      #expect(best < .milliseconds(100), "\(best)")
    }
  }

  @Test("what waits for a connection is cancelled without having been sent")
  func cancelledInQueue() async throws {
    try await ClientFixture.with(timeout: .seconds(60), script: { $0.hang() }) { fixture in
      // As many as have a connection each.
      let first = (0..<PartnersClient.readConnectionsMax).map { _ in Task { await fixture.client.list(ReferralQuery()) }
      }
      try await Task.sleep(for: .milliseconds(400))
      let second = Task { await fixture.client.list(ReferralQuery()) }
      try await Task.sleep(for: .milliseconds(50))
      second.cancel()
      let failure = try #require(await second.value.transportFailure)
      #expect(failure.kind == .cancelled)
      #expect(!failure.mayHaveBeenDone)
      for task in first { task.cancel() }
      for task in first { _ = await task.value }
      #expect(fixture.server.accepts == PartnersClient.readConnectionsMax)
    }
  }

  @Test("interim answers and trailers are no part of the answer")
  func interim() async throws {
    let body = ClientFixture.referral
    let script: @Sendable (StubConnection) -> Void = { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 103 Early Hints\r\nRetry-After: 99\r\n\r\n")
      connection.write("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n")
      connection.write("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\nRetry-After: 77\r\n\r\n")
      connection.hang()
    }
    try await ClientFixture.with(script: script) { fixture in
      let answer = await fixture.client.referral(ReferralID("jx7"))
      #expect(answer.head?.status == 503)
      #expect(answer.failure?.retryAfter == nil)
    }
  }

  @Test("what this libcurl does about a silent name server is known")
  func nameResolving() {
    let threaded: Int32 = 1 << 7
    #expect(NameResolving.limit(number: 0x075801, features: threaded) == nil)
    #expect(NameResolving.limit(number: 0x075700, features: -1) == nil)
    #expect(NameResolving.limit(number: 0x075100, features: threaded)?.hasPrefix("libcurl 7.81.0 waits") == true)
    #expect(NameResolving.limit(number: 0x080500, features: ~threaded)?.hasPrefix("libcurl 8.5.0 looks") == true)
  }
}
