import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// `conversiond forget`, against the daemon and while it is stopped.
@Suite struct ForgetTests {
  private static let email = "canary.of.the.mine@example.com"
  private static let metadata = ["reporting.metadata": "{ buyer: customer_email }"]

  private func expectGone(_ shop: DaemonFixture, _ when: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state")) {
      let bytes = FileManager.default.contents(atPath: shop.folder.path("state/" + name)) ?? Data()
      let text = String(decoding: bytes, as: UTF8.self).lowercased()
      #expect(!text.contains(Self.email), "\(name), \(when)")
    }
  }

  @Test func aPersonIsForgottenByTheRunningDaemonAndStaysForgotten() async throws {
    try await DaemonFixture.with(Self.metadata) { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: Self.email), SandboxReferral("r2", email: "ana@example.com"),
        SandboxReferral("r3", email: "bob@example.com", lead: "lead_3"),
      ])
      try await shop.insert(
        ShopOrder(1, email: Self.email.uppercased(), customer: "c_77"), ShopOrder(2, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      let trial = try await shop.run("forget", Self.email)
      #expect(trial.end == .exited(0) && trial.output.contains("nothing was changed; --yes erases it"))
      #expect(trial.output.contains("c***@example.com: 1 order, 1 referral: would be erased"))
      #expect(!(trial.output + trial.errors).contains(Self.email))
      #expect(try await shop.entry("1")?.email == "c***@example.com")
      let done = try await shop.run("forget", "-", "--yes", "--json", input: Self.email.uppercased() + "\n")
      #expect(done.end == .exited(0), "\(done.errors)")
      let report = try JSONDecoder.contract.decode(ForgetReport.self, from: Data(done.output.utf8))
      #expect(report.erased && report.orders.map(\.order) == ["1"] && report.referrals == 1 && report.remaining == 0)
      try expectGone(shop, "while the daemon runs")
      let entry = try #require(try await shop.entry("1"))
      #expect(entry.state == "reported" && entry.referral == "r1" && entry.valueCents == 1000 && entry.email == nil)
      #expect(entry.body == #"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"1"}"#)
      // The next sweeps of both sides, and a restart.
      try await shop.insert(
        ShopOrder(3, email: Self.email), ShopOrder(4, email: Self.email, lead: "lead_3"),
        ShopOrder(5, email: "nobody@example.com"))
      #expect(await shop.reaches(["3": "waiting", "4": "reported", "5": "waiting"]))
      try await shop.database.execute("UPDATE orders SET total_cents = 1001 WHERE id = 1")
      try await shop.stop()
      try await shop.start()
      #expect(await eventually(within: .seconds(30)) { shop.log.components(separatedBy: "caught up").count > 2 })
      #expect(await shop.reaches(["1": "reported", "3": "waiting"]))
      try await shop.stop()
      try expectGone(shop, "after a restart")
      let state = await shop.sandbox.state
      #expect(state.counters.converted == 3)
      #expect(state.reportedBodies.last == #"{"conversionValue":1000,"currency":"EUR","externalTransactionId":"4"}"#)
      #expect(!shop.log.contains(Self.email))
    }
  }

  @Test func whileAnOrderIsUnknownNothingIsErasedAndItIsReportedWithTheSameBytes() async throws {
    try await DaemonFixture.with(Self.metadata) { shop in
      try await shop.sandbox.put([SandboxReferral("r1", email: Self.email)])
      try await shop.insert(ShopOrder(1, email: Self.email), ShopOrder(2, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.loseAnswer, on: .conversions, times: 1))
      await shop.sandbox.order(SandboxFaultRule(.answer(SandboxAnswer(503)), on: .conversions, times: nil))
      try await shop.start()
      #expect(await eventually(within: .seconds(30)) { await shop.sandbox.state.reports.count > 0 })
      for options in [["forget", Self.email], ["forget", Self.email, "--yes"]] {
        let refused = try await shop.run(options + ["--config", shop.configurationFile])
        #expect(refused.end == .exited(75), "\(refused)")
        #expect(refused.errors.contains("1 order must come to an end first; run this again then"))
      }
      try await shop.stop(SIGKILL)
      // Stopped in the middle: what is marked as being sent may have been done.
      #expect(try await shop.run("forget", Self.email, "--yes").end == .exited(75))
      await shop.sandbox.removeFaults()
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"], within: .seconds(60)))
      #expect(await Set(shop.sandbox.state.reportedBodies).count == 1)
      try await shop.stop()
      let done = try await shop.run("forget", Self.email, "--yes")
      #expect(done.end == .exited(0) && done.output.contains("erased; what was reported stays by order ID"))
      try expectGone(shop, "stopped")
      #expect(try await shop.states()["1"] == "reported")
    }
  }

  @Test func whatIsNoAddressIsAMistakeAndWithoutALedgerThereIsNobody() async throws {
    try await DaemonFixture.with { shop in
      let wrong = [
        try await shop.run("forget", "ana"), try await shop.run("forget", "-", input: "ana@\n"),
      ]
      #expect(wrong.map(\.end) == [.exited(64), .exited(64)])
      #expect(wrong.allSatisfy { $0.errors.contains("that is no e-mail address") })
      let nobody = try await shop.run("forget", Self.email, "--yes")
      #expect(nobody.end == .exited(4), "\(nobody.errors)")
      #expect(!FileManager.default.fileExists(atPath: shop.ledgerFile))
    }
  }
}
