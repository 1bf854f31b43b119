import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Limits of the process and of the ledger, met while the daemon runs, and lifted.
@Suite struct LimitsTests {
  private func referrals(_ numbers: ClosedRange<Int>) -> [SandboxReferral] {
    numbers.map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") }
  }

  private func orders(_ numbers: ClosedRange<Int>) -> [ShopOrder] {
    numbers.map { ShopOrder($0, email: "friend\($0)@example.com") }
  }

  private func all(_ numbers: ClosedRange<Int>) -> [String: String] {
    Dictionary(uniqueKeysWithValues: numbers.map { (String($0), "reported") })
  }

  private func limit(_ daemon: ChildProcess, _ option: String) async throws {
    let set = try await ChildProcess.run("prlimit", ["--pid", String(daemon.pid), option])
    #expect(set.end == .exited(0), "\(set.errors)")
  }

  private func requireRunning(_ daemon: ChildProcess) throws {
    guard let end = daemon.end else { return }
    throw TestHostError("the daemon ended, \(end): \(daemon.errorLines.suffix(20).joined(separator: "; "))")
  }

  /// The milliseconds of CPU and the lines of log that a while of trouble costs.
  private func cost(_ daemon: ChildProcess, of seconds: Int) async throws -> (milliseconds: Int, lines: Int) {
    try requireRunning(daemon)
    let (before, lines) = (try ProcessUsage(daemon.pid), daemon.errorLines.count)
    try await Task.sleep(for: .seconds(seconds))
    try requireRunning(daemon)
    let after = try ProcessUsage(daemon.pid)
    return ((after.cpuTicks - before.cpuTicks) * 10, daemon.errorLines.count - lines)
  }

  @Test func withoutFileDescriptorsItWaitsAndGoesOn() async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await shop.sandbox.put(referrals(1...10))
      try await shop.insert(orders(1...5))
      let daemon = try await shop.start()
      #expect(await shop.reaches(all(1...5)))
      // None for another connection, once those it has are cut; and a command that asks waits in vain.
      try await limit(daemon, "--nofile=8:1024")
      await shop.sandbox.stop()
      try await shop.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
      )
      try await shop.sandbox.start()
      try await shop.insert(orders(6...10))
      _ = try? await shop.run("status")
      do {
        let cost = try await cost(daemon, of: 8)
        print("no file descriptors, 8 s of it: \(cost.milliseconds) ms of CPU, \(cost.lines) lines of log")
        #expect(cost.milliseconds < 2000 && cost.lines < 12)
        #expect(await shop.sandbox.state.counters.converted == 5)
        try await limit(daemon, "--nofile=1024:1024")
      } catch  where daemon.end == .signalled(SIGILL) {
        // Each second libdispatch looks into /proc at threads that have work, and ends a process that can't open a file
        // there (workqueue.c, _dispatch_workq_count_runnable_workers). The service manager starts it again then.
        print("no file descriptors: ended by libdispatch, and started again")
        try await shop.start()
      }
      #expect(await shop.reaches(all(1...10), within: .seconds(90)))
      #expect(await shop.sandbox.state.counters.converted == 10)
      #expect(try await shop.stop() == .exited(0))
    }
  }

  /// The descriptors by which it sleeps are there from the start: one that can't be made later is a sleep without end.
  @Test func whatItSleepsByIsThereFromTheStart() async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await shop.sandbox.put(referrals(1...5))
      let daemon = try await shop.start()
      let timers = {
        let folder = "/proc/\(daemon.pid)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
          (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"))?.contains("timerfd") == true
        }
      }
      let first = try timers()
      let folder = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").map {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(daemon.pid)/fd/\($0)")) ?? "-"
      }
      #expect(first == 3, "libdispatch has three clocks: \(folder)")
      try await shop.insert(orders(1...5))
      #expect(await shop.reaches(all(1...5)))
      _ = try await shop.status()
      #expect(try timers() == first)
      try await shop.stop()
      let starved = try shop.launch(prefix: ["prlimit", "--nofile=13:13"])
      #expect(try await starved.wait() == .exited(75))
      #expect(starved.standardError.contains("no file descriptors are free"))
    }
  }

  @Test func afterSIGXFSZAndSIGPIPEItGoesOn() async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await shop.sandbox.put(referrals(1...40))
      try await shop.insert(orders(1...5))
      let daemon = try await shop.start()
      #expect(await shop.reaches(all(1...5)))
      for signal in [SIGPIPE, SIGXFSZ] { daemon.signal(signal) }
      // Nothing may be written behind a file's first page: SIGXFSZ, then EFBIG (setrlimit(2)).
      try await limit(daemon, "--fsize=4096:unlimited")
      try await shop.insert(orders(6...40))
      try await Task.sleep(for: .seconds(1))
      let sends = await shop.sandbox.state.reports.count
      let cost = try await cost(daemon, of: 8)
      print("files may not grow, 8 s of it: \(cost.milliseconds) ms of CPU, \(cost.lines) lines of log")
      #expect(cost.milliseconds < 2000 && cost.lines < 12)
      #expect(daemon.end == nil)
      #expect(shop.log.contains("event=ledger_failed") && !shop.log.contains("event=poll_failed"))
      #expect(await shop.sandbox.state.reports.count == sends)
      try await limit(daemon, "--fsize=unlimited:unlimited")
      #expect(await shop.reaches(all(1...40), within: .seconds(120)))
      #expect(await shop.sandbox.state.counters.converted == 40)
      #expect(try await shop.stop() == .exited(0))
    }
  }

  @Test func aBacklogFitsIntoLittleMemory() async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await shop.sandbox.put(referrals(1...5))
      try await shop.insert(orders(1...5))
      try await shop.database.execute(
        """
        INSERT INTO orders SELECT n, 'nobody' || n || '@example.com', NULL, NULL, 1000, 'EUR', 'paid',
          now() - interval '1 day' FROM generate_series(1001, 41000) n
        """)
      // Address space, of which threads and libraries take several times what is ever in memory.
      let daemon = try await shop.start(prefix: ["prlimit", "--as=\(1 << 30)"])
      #expect(await shop.catchesUp())
      #expect(
        await eventually(within: .seconds(40)) { await shop.sandbox.state.counters.converted == 5 })
      let usage = try ProcessUsage(daemon.pid)
      print("40,000 orders that wait: \(usage.peakResidentKiB) KiB at most")
      #expect(usage.peakResidentKiB < 150 * 1024)
      #expect(try await shop.stop() == .exited(0))
    }
  }

  @Test func aLedgerThatIsAsLargeAsItMayBeTakesInNothingAndSendsOn() async throws {
    try await DaemonFixture.with(["log.level": "info", "ledger.size_max": "12MiB"]) { shop in
      try await shop.insert(ShopOrder(1, email: "friend1@example.com", daysAgo: 0.001))
      let daemon = try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.database.execute(
        """
        INSERT INTO orders SELECT n, 'nobody' || n || '@example.com', NULL, NULL, 1000, 'EUR', 'paid',
          now() - interval '1 day' FROM generate_series(1001, 61000) n
        """)
      #expect(await eventually(within: .seconds(120)) { shop.log.contains("event=ledger_full") }, "\(shop.log)")
      #expect(
        shop.log.contains("of the 12.0 MiB of ledger.size_max: orders are not read until it takes less than 9.0 MiB"))
      let (end, report) = try await shop.status()
      #expect(end == .exited(1) && report.ledgerHealth.state == "failing")
      #expect(report.ledgerHealth.message?.contains("of ledger.size_max: orders are not read until") == true)
      let waiting = report.outcomes.first { $0.outcome == "waiting" }?.count ?? 0
      #expect(waiting > 10_000 && waiting < 55_000)
      // Orders that it holds already are matched and sent.
      try await shop.sandbox.put([SandboxReferral("r1", email: "friend1@example.com", daysAgo: 0.005)])
      #expect(await eventually(within: .seconds(40)) { await shop.sandbox.state.counters.converted == 1 })
      try await Task.sleep(for: .seconds(2))
      #expect(try await shop.status().report.outcomes.first { $0.outcome == "waiting" }?.count == waiting - 1)
      #expect(daemon.errorLines.count { $0.contains("event=ledger_full") } == 1)
      #expect(try await shop.stop() == .exited(0))
      let size = try FileManager.default.attributesOfItem(atPath: shop.ledgerFile)[.size] as? Int ?? 0
      #expect(size > 8 << 20 && size < 12 << 20)
      try shop.configure(["ledger.size_max": "2GiB"])
      try await shop.start()
      #expect(
        await eventually(within: .seconds(120), every: .milliseconds(500)) {
          let outcomes = try? await shop.status().report.outcomes
          return outcomes?.first { $0.outcome == "waiting" }?.count == 60_000
        })
    }
  }

  @Test func finishedOrdersLeaveAndAreNotReportedAgain() async throws {
    try await DaemonFixture.with(["orders.sweep_interval": "1s"]) { shop in
      try await shop.sandbox.put(referrals(1...5))
      try await shop.insert(orders(1...5))
      try await shop.start()
      #expect(await shop.reaches(all(1...5)))
      try await shop.stop()
      try await Task.sleep(for: .seconds(2))
      try shop.configure(["ledger.retain": "1s"])
      // An older referral of the same friends, still open: the one to choose, had their orders never been reported.
      try await shop.sandbox.put(
        (1...5).map { SandboxReferral("older\($0)", email: "friend\($0)@example.com", daysAgo: 9) })
      let daemon = try await shop.start()
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains("removed 5 finished orders") })
      #expect(try await shop.entries().isEmpty)
      #expect(try await shop.status().report.outcomes.first { $0.outcome == "reported" }?.count == 5)
      // Every row is read again, by another daemon and as another version.
      try await shop.stop()
      try await shop.start()
      try await shop.database.execute("UPDATE orders SET total_cents = total_cents + 1")
      #expect(await shop.reaches(all(1...5)), "they come back as they were")
      try await Task.sleep(for: .seconds(2))
      let state = await shop.sandbox.state
      #expect(state.reports.count == 5)
      #expect(state.referrals.filter { $0.referralID.hasPrefix("older") }.allSatisfy { $0.status == .pending })
    }
  }
}
