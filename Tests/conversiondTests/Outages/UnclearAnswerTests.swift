import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Answers that say nothing, never end, or send us elsewhere: over a socket, to the daemon as it runs.
@Suite struct UnclearAnswerTests {
  private static let list = SandboxFaultRule.Match(method: "GET", pathPrefix: "/api/v1/partners/referrals")

  /// A body that is small on the wire, and 64 MiB once it is unpacked.
  private static func bomb() async throws -> SandboxAnswer {
    let made = try await ChildProcess.run(
      "sh", ["-c", "head -c 67108864 /dev/zero | gzip -9 | base64 -w 0"], within: .seconds(30))
    var answer = SandboxAnswer(201, headers: [.init("Content-Encoding", "gzip")])
    answer.body = Array(try #require(Data(base64Encoded: made.output)))
    return answer
  }

  @Test(arguments: [
    SandboxFault.reset(afterWork: true), .reset(afterWork: false), .loseAnswer, .truncate(bodyBytes: 20),
    .garbage(.trailing), .garbage(.notJSON), .garbage(.deep(levels: 1_000)), .garbage(.huge(bytes: 512 << 20)),
    .answer(SandboxAnswer(500), afterWork: true), .answer(.html(502), afterWork: true), .answer(SandboxAnswer(503)),
    nil,
  ])
  func anAnswerThatSaysNothingIsAnUnknownOutcomeAndTheSameBytesAreSentAgain(_ fault: SandboxFault?) async throws {
    let fault = if let fault { fault } else { SandboxFault.answer(try await Self.bomb(), afterWork: true) }
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(fault, on: .conversions))
      let daemon = try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      let state = await shop.sandbox.state
      #expect(state.counters.converted == 1)
      #expect(state.reports.count == 2)
      #expect(Set(state.reportedBodies).count == 1)
      #expect(try await shop.entry("1")?.sends?.map(\.verdict) == ["unknown", "reported"])
      #expect(try ProcessUsage(daemon.pid).peakResidentKiB < 120 * 1024)
    }
  }

  @Test(arguments: [SandboxFault.hang(afterWork: true), .trickle(every: .seconds(1))])
  func aSendThatHangsEndsAtOneDeadlineAndIntakeGoesOnMeanwhile(_ fault: SandboxFault) async throws {
    try await DaemonFixture.with(["api.timeout": "12s"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(fault, on: .conversions))
      try await shop.start()
      #expect(await shop.reaches(["1": "sending"]))
      try await shop.insert(ShopOrder(2, email: "nobody@example.com"))
      #expect(await shop.reaches(["2": "waiting"], within: .seconds(10)))
      #expect(await shop.peek()?["1"]?.state == "sending")
      #expect(await shop.reaches(["1": "reported"]))
      let first = try #require(try await shop.entry("1")?.sends?.first)
      #expect(first.verdict == "unknown")
      #expect((11_900...16_000).contains(first.durationMilliseconds ?? 0))
      #expect(await shop.sandbox.state.counters.converted == 1)
    }
  }

  /// A page that is always the same; a list whose answers come a byte a second; one that is too deep, or too large.
  static let lists: [SandboxFault] = [
    .answer(SandboxAnswer(200, body: samePage)), .trickle(every: .seconds(1)), .garbage(.deep(levels: 1_000)),
    .garbage(.huge(bytes: 512 << 20)), .answer(SandboxAnswer(302, headers: [.init("Location", "http://127.0.0.1:9/")])),
  ]

  private static var samePage: String {
    let referrals = (1...100).map { number in
      """
      {"referralId":"x\(number)","referralCode":"a1b2c3d4","status":"pending","friendEmail":"x\(number)@example.com",\
      "createdAt":\(1_765_467_600_000 + number),"referrerIdentifier":"cust_1","metadata":{}}
      """
    }
    return #"{"referrals":[\#(referrals.joined(separator: ","))],"pagination":{"page":1,"pageSize":100,"total":5000}}"#
  }

  @Test(arguments: lists)
  func aListThatCannotBeReadHoldsUpNoIntakeAndIsNotAskedForAllTheTime(_ fault: SandboxFault) async throws {
    try await DaemonFixture.with(["api.timeout": "2s"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      await shop.sandbox.order(SandboxFaultRule(fault, on: Self.list, times: nil))
      let asked = await shop.sandbox.state.counters.requests
      #expect(
        await eventually(within: .seconds(60)) {
          ["event=mirror_failed", "event=mirror_distrusted", "event=api_halted"].contains { shop.log.contains($0) }
        })
      try await shop.insert(ShopOrder(2, email: "nobody@example.com"))
      #expect(await shop.reaches(["2": "waiting"], within: .seconds(10)))
      try await Task.sleep(for: .seconds(5))
      #expect(await shop.sandbox.state.counters.requests - asked < 400)
      let first = try await shop.status()
      if first.end != .exited(1) { print("status ended with \(first.end) at first: \(first.report)") }
      // A busy host may have its one good moment, a referral's own GET say, just then.
      #expect(await eventually(within: .seconds(20)) { (try? await shop.status().end) == .exited(1) })
      await shop.sandbox.removeFaults()
      try await shop.stop()
    }
  }

  @Test(arguments: [302, 307, 308])
  func aRedirectHaltsSendingAndNoOtherHostIsAsked(_ status: Int) async throws {
    try await DaemonFixture.with { shop in
      let elsewhere = PartnersSandbox(.unlimited)
      let location = try await elsewhere.start().baseURL + "/referrals/r/convert"
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(
        SandboxFaultRule(
          .answer(SandboxAnswer(status, headers: [.init("Location", location)])), on: .conversions, times: nil))
      try await shop.start()
      #expect(await eventually(within: .seconds(30)) { shop.log.contains("reason=redirect") })
      try await Task.sleep(for: .seconds(1))
      #expect(await elsewhere.state.requests.isEmpty)
      #expect(await shop.sandbox.state.reports.count == 1)
      #expect(try await shop.entry("1")?.state == "queued")
      try await shop.stop()
      await shop.sandbox.removeFaults()
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      await elsewhere.stop()
    }
  }
}
