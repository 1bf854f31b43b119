import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// An API that is not quite what its reference says, and what stands between it and this host.
@Suite struct APIOddityTests {
  @Test func oneReferralThatCannotBeReadIsNamedAndTheOthersGoOn() async throws {
    try await DaemonFixture.with { shop in
      let wrong: [(id: String, field: String, value: SandboxJSON)] = [
        ("number", "externalSourceId", 42), ("object", "friendEmail", [:]), ("time", "createdAt", "x"),
        ("state", "status", "frozen"),
      ]
      var referrals = [SandboxReferral("good", email: "good@example.com", lead: "lead_1")]
      for (id, field, value) in wrong {
        var referral = SandboxReferral(id, email: "\(id)@example.com", lead: "lead_\(id)", daysAgo: 0.02)
        referral.shownInstead[field] = value
        referrals.append(referral)
      }
      try await shop.sandbox.put(referrals)
      try await shop.insert(
        ShopOrder(1, email: "good@example.com"), ShopOrder(2, email: "nobody@example.com", lead: "42"),
        ShopOrder(3, email: "number@example.com", daysAgo: 0.01))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "waiting", "3": "waiting"]))
      for (id, field, _) in wrong {
        let lines = shop.log.split(separator: "\n").filter { $0.contains("referral \(id) can't be read") }
        #expect(lines.count == 1 && lines[0].contains(field), "\(lines)")
      }
      #expect(!shop.log.contains("can't be trusted") && !shop.log.contains("reading referrals failed"))
      // The vendor mends it.
      try await shop.sandbox.change("number") { $0.shownInstead = [:] }
      #expect(await shop.reaches(["3": "reported"], within: .seconds(100)))
    }
  }

  /// A referral that can't be read may be the one to be paid: no other of the same friend is paid in its place.
  @Test(arguments: [
    ("externalSourceId", 42 as SandboxJSON), ("status", "approved"), ("conversionValue", "129.99"),
  ]) func aReferralThatCannotBeReadKeepsOthersFromItsOrder(field: String, value: SandboxJSON) async throws {
    try await DaemonFixture.with { shop in
      var first = SandboxReferral("first", email: "ana@example.com", daysAgo: 5)
      first.shownInstead[field] = value
      try await shop.sandbox.put([
        first, SandboxReferral("later", email: "ana@example.com", daysAgo: 1),
        SandboxReferral("ben", email: "ben@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com", daysAgo: 0.01), ShopOrder(2, email: "ben@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "queued", "2": "reported"], within: .seconds(60)))
      let waiting = try await shop.entry("1")
      #expect(waiting?.reason == "referral_unreadable" && waiting?.detail?.contains("referral first") == true)
      let status = try await shop.run("status")
      #expect(
        status.end == .exited(1) && status.output.contains("queue list --reason referral_unreadable"), "\(status)")
      #expect(try await shop.run("queue", "list", "--reason", "referral_unreadable").output.contains("queued"))
      try await shop.sandbox.change("first") { $0.shownInstead = [:] }
      #expect(await shop.reaches(["1": "reported"], within: .seconds(100)))
      let state = await shop.sandbox.state
      #expect(state.referral("first")?.status == .converted && state.referral("later")?.status == .pending)
    }
  }

  @Test func anAnswerInGzipThatNobodyAskedForIsRead() async throws {
    try await DaemonFixture.with { shop in
      let page =
        "H4sIAAAAAAACA6tWKkpNSy0qSswpVrKKjtVRKkhMz8xLLMnMz1OyqgbxUpWsDMHCqcGZVSCOgYGOUkl+SWKOkpVBbS0A8q0+cEEAAAA="
      var answer = SandboxAnswer(200, headers: [SandboxAnswer.Field("Content-Encoding", "gzip")])
      answer.body = try #require(Data(base64Encoded: page)).map { $0 }
      await shop.sandbox.order(SandboxFaultRule(.answer(answer), on: .reads, times: nil))
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(!shop.log.contains("failed") && !shop.log.contains("can't be trusted"), "\(shop.log)")
    }
  }

  @Test(
    .enabled("needs the openssl command") { await TLSServer.isAvailable() }, arguments: [true, false])
  func whyAnAPIIsNotTalkedToIsSaid(isOldProtocol: Bool) async throws {
    try await DaemonFixture.with { shop in
      let folder = try TemporaryFolder("tls")
      try await TLSServer.makeCertificates(in: folder.path)
      let server = try await TLSServer(
        folder: folder.path, certificate: "good", speaking: isOldProtocol ? "tls1_1" : nil)
      try shop.configure(["api.base_url": "'https://127.0.0.1:\(server.port)/api/v1/partners'"])
      try shop.launch(environment: ["SSL_CERT_FILE": folder.path("ca.pem")])
      let cause =
        isOldProtocol
        ? ["the server speaks only TLS older than 1.2"]
        : ["compared with /etc/ssl/certs", "update-ca-certificates", "SSL_CERT_FILE is not read"]
      #expect(await eventually(within: .seconds(40)) { cause.allSatisfy { shop.log.contains($0) } }, "\(shop.log)")
      let check = try await shop.run("check", environment: ["SSL_CERT_FILE": folder.path("ca.pem")])
      #expect(cause.allSatisfy { check.output.contains($0) }, "\(check.output)")
      #expect(!isOldProtocol || !check.output.contains("certificate is not trusted"))
      await server.stop()
    }
  }

  @Test(arguments: ["99999999999999999999", "-7", "soon"])
  func aWaitThatNobodyCanMeanIsAnHour(_ retryAfter: String) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com")])
      await shop.sandbox.order(
        SandboxFaultRule(
          .answer(.rateLimited(retryAfter: retryAfter, retryAfterMilliseconds: nil)), on: .conversions, times: 1))
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      let told = "nothing is sent until "
      #expect(await eventually(within: .seconds(40)) { shop.log.contains(told) })
      let text = try #require(shop.log.components(separatedBy: told).last?.prefix(24))
      let until = try Date(String(text), strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
      #expect((3400...3700).contains(until.timeIntervalSinceNow), "\(text)")
    }
  }
}
