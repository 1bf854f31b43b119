import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct OutageTests {
  @Test func aDatabaseThatIsDownIsWaitedForAndSoIsOneThatRestarts() async throws {
    let cluster = try await PostgresCluster.start()
    try await DaemonFixture.with(cluster: cluster) { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await cluster.stop()
      let daemon = try await shop.start()
      #expect(await eventually(within: .seconds(15)) { shop.log.contains("reading orders failed") })
      let (end, report) = try await shop.status()
      #expect(end == .exited(1))
      #expect(report.database.state == "failing")
      #expect(report.database.message?.isEmpty == false)
      try await cluster.start()
      #expect(await shop.reaches(["1": "reported"], within: .seconds(60)))
      #expect(try await shop.status().end == .exited(0))
      try await cluster.restart(.immediate)
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
      try await cluster.restart(.fast)
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      #expect(await shop.reaches(["3": "reported"]))
      #expect(daemon.end == nil)
      #expect(await shop.sandbox.state.reports.count == 3)
      let lines = shop.log.split(separator: "\n")
      let failed = lines.count { $0.contains("event=poll_failed") }
      let recovered = lines.count { $0.contains("event=poll_recovered") }
      #expect((1...3).contains(failed), "one line an outage")
      #expect(failed == recovered)
      #expect(lines.contains { $0.contains("event=following") && $0.contains("reason=server_restarted") })
      #expect(!shop.log.contains("event=table_changed"), "a restarted server is no other")
      #expect(!shop.log.contains("event=ledger_failed"), "a database that is away is not the ledger")
      try await shop.stop()
    }
    try await cluster.stop()
  }

  @Test func anAPIThatRefusesConnectionsIsWaitedForWithoutCountingAttempts() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      await shop.sandbox.stop()
      try await shop.start()
      #expect(await eventually(within: .seconds(15)) { shop.log.contains("reading referrals failed") })
      let (end, report) = try await shop.status()
      #expect(end == .exited(1))
      #expect(report.api.state == "failing")
      try await shop.sandbox.start()
      #expect(await shop.reaches(["1": "reported"], within: .seconds(60)))
      await shop.sandbox.stop()
      try await shop.insert(ShopOrder(2, email: "friend2@example.com"))
      // The youngest referrals can't be looked at, so it isn't even tried.
      #expect(
        await eventually(within: .seconds(20)) { (try? await shop.entry("2"))??.reason == "referral_unread" })
      try await shop.sandbox.start()
      #expect(await shop.reaches(["2": "reported"]))
      let entry = try await shop.entry("2")
      #expect(entry?.attempts == 1)
      #expect(entry?.sends?.count == 1)
      #expect(await shop.sandbox.state.reports.count == 2)
      #expect(try await shop.status().end == .exited(0))
    }
  }

  @Test func aRefusedKeyHaltsSendingAndLeavesTheEntriesAsTheyAre() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.catchesUp())
      await shop.sandbox.setKeys(["oft_00000000000000000000000000000000": SandboxConfiguration.defaultPartner])
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"), ShopOrder(2, email: "friend2@example.com"))
      #expect(await eventually(within: .seconds(20)) { shop.log.contains("event=api_halted") })
      try await Task.sleep(for: .seconds(1))
      #expect(await shop.sandbox.state.reports.isEmpty, "refused before anything was sent")
      let (end, report) = try await shop.status()
      #expect(end == .exited(1))
      #expect(report.delivery.message?.hasPrefix("key_refused") == true)
      let remedy = "nothing is lost; put a valid key in place, then systemctl restart conversiond"
      let line = shop.log.split(separator: "\n").first { $0.contains("event=api_halted") }
      #expect(line?.contains(remedy) == true, "\(line ?? "-")")
      let screen = try await shop.run("status").output
      #expect(screen.contains("NEEDS A PERSON: sending is halted since ") && screen.contains(remedy), "\(screen)")
      #expect(report.drainSeconds == nil && !screen.contains("drains"))
      let check = try await shop.run("check")
      #expect(check.output.contains("the running daemon is halted: key_refused: HTTP 401"), "\(check.output)")
      #expect(check.output.contains(remedy))
      for (_, entry) in try await shop.entries() {
        #expect(entry.state == "queued")
        #expect(entry.attempts == 0)
        #expect(!entry.unknownOutcome)
      }
      #expect(try await shop.stop() == .exited(0))
      await shop.sandbox.setKeys([DaemonFixture.key: SandboxConfiguration.defaultPartner])
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      #expect(await shop.sandbox.state.counters.converted == 2)
    }
  }

  @Test func aPartnerWhoIsNotApprovedWaitsWithoutAnAttemptAndGoesOnByItself() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      await shop.sandbox.setKeys([:], unapproved: [DaemonFixture.key])
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"), ShopOrder(2, email: "friend2@example.com"))
      let daemon = try await shop.start()
      let isHalted = { (line: String) in line.contains("event=api_halted") && line.contains("reason=not_approved") }
      #expect(await eventually(within: .seconds(40)) { daemon.errorLines.contains(where: isHalted) })
      let (end, report) = try await shop.status()
      #expect(end == .exited(1) && report.api.state == "failing")
      #expect(report.api.message?.contains("HTTP 403") == true)
      #expect(report.api.message?.contains("ask in the partner dashboard") == true)
      #expect(report.drainSeconds == nil, "nothing is sent before the catch-up")
      #expect(try await shop.run("status").output.contains("not approved"), "in words, too")
      await shop.sandbox.setKeys([DaemonFixture.key: SandboxConfiguration.defaultPartner])
      // Expects sending again within a minute's back-off, without a restart.
      #expect(await shop.reaches(["1": "reported", "2": "reported"], within: .seconds(150)))
      #expect(try await shop.entries().values.map(\.attempts) == [1, 1])
      #expect(await shop.sandbox.state.reports.count == 2)
      #expect(try await shop.status().end == .exited(0))
      #expect(daemon.errorLines.count(where: isHalted) == 1)
      #expect(daemon.errorLines.contains { $0.contains("event=api_recovered") })
      // While it runs: the loop halts before anything is sent.
      await shop.sandbox.setKeys([:], unapproved: [DaemonFixture.key])
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      #expect(
        await eventually(within: .seconds(60), every: .milliseconds(500)) {
          (try? await shop.status())?.report.delivery.message?.hasPrefix("not_approved") == true
        })
      let entry = try await shop.entry("3")
      #expect(entry?.state == "queued" && entry?.attempts == 0 && entry?.unknownOutcome == false)
      #expect(await shop.sandbox.state.reports.count == 2)
      try await shop.stop()
      await shop.sandbox.setKeys([DaemonFixture.key: SandboxConfiguration.defaultPartner])
      try await shop.start()
      #expect(await shop.reaches(["3": "reported"]))
      #expect(await shop.sandbox.state.counters.converted == 3)
    }
  }

  @Test(arguments: [("1", 2_500), ("2", nil)] as [(String, Int64?)])
  func aRateLimitIsHonouredWithoutBurningAnAttempt(header: String, milliseconds: Int64?) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...2).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"), ShopOrder(2, email: "friend2@example.com"))
      let answer = SandboxAnswer.rateLimited(retryAfter: header, retryAfterMilliseconds: milliseconds)
      await shop.sandbox.order(SandboxFaultRule(.answer(answer), on: .conversions))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      let reports = await shop.sandbox.state.reports
      #expect(reports.count == 3)
      // All sending waits for the larger of both, and a second more.
      let wait = reports[1].arrival.monotonicNanoseconds - reports[0].arrival.monotonicNanoseconds
      #expect(wait >= (milliseconds ?? 2_000) * 1_000_000 + 1_000_000_000)
      let attempts = try await shop.entries().values.map(\.attempts)
      #expect(attempts == [1, 1])
    }
  }

  @Test func aRateLimitSurvivesARestart() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      let answer = SandboxAnswer.rateLimited(retryAfter: "4", retryAfterMilliseconds: 4_000)
      await shop.sandbox.order(SandboxFaultRule(.answer(answer), on: .conversions))
      try await shop.start()
      #expect(
        await eventually(within: .seconds(20)) {
          shop.log.contains("order 1 for referral r (10.00 EUR) is tried again")
        })
      try await shop.stop(SIGKILL)
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      let reports = await shop.sandbox.state.reports
      #expect(reports.count == 2)
      let wait = reports[1].arrival.monotonicNanoseconds - reports[0].arrival.monotonicNanoseconds
      #expect(wait >= 5_000_000_000)
    }
  }

  @Test func theAPIsLimitsAreKeptWithoutOneRefusal() async throws {
    var sandbox = SandboxConfiguration.unlimited
    sandbox.writeLimit = SandboxRateLimit(120, shape: .sliding)
    try await DaemonFixture.with(["api.writes_per_minute": "120"], sandbox: sandbox) { shop in
      try await shop.sandbox.put((1...12).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...12).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      let all = Dictionary(uniqueKeysWithValues: (1...12).map { (String($0), "reported") })
      #expect(await shop.reaches(all))
      let state = await shop.sandbox.state
      #expect(state.counters.rateLimited == 0)
      let times = state.reports.map(\.arrival.monotonicNanoseconds)
      let span = Duration.nanoseconds((times.last ?? 0) - (times.first ?? 0))
      #expect(span > .seconds(5), "eleven waits of 0.52 s, less what a busy host adds to the first")
    }
  }
}
