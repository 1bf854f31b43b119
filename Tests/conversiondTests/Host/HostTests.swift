import Foundation
import PartnersSandbox
import TestHosts
import Testing

@Suite struct HostTests {
  @Test(.enabled(if: getuid() == 0)) func aCommandOfRootLeavesNoFileOfRoots() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      // Killed, so that its WAL is left for the command to recover.
      try await shop.stop(SIGKILL)
      try? FileManager.default.removeItem(atPath: shop.ledgerFile + ".lock")
      _ = try await ChildProcess.run("chown", ["-R", "postgres", shop.folder.path])
      for arguments in [["status"], ["queue", "list", "--state", "ALL"], ["queue", "show", "1"]] {
        let result = try await shop.run(arguments + ["--config", shop.configurationFile])
        #expect(result.end == .exited(arguments == ["status"] ? 3 : 0), "\(arguments): \(result.errors)")
      }
      let found = try await ChildProcess.run("find", [shop.folder.path, "-user", "root"])
      #expect(found.output == "")
      let lock = try FileManager.default.attributesOfItem(atPath: shop.ledgerFile + ".lock")
      #expect(lock[.ownerAccountName] as? String == "postgres")
    }
  }

  @Test(.enabled(if: getuid() == 0)) func aDryRunOfRootLeavesNoFileOfRoots() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop()
      try? FileManager.default.removeItem(atPath: shop.ledgerFile + ".lock")
      _ = try await ChildProcess.run("chown", ["-R", "postgres", shop.folder.path])
      try await shop.start(["--dry-run"])
      #expect(try await shop.stop() == .exited(0))
      let found = try await ChildProcess.run("find", [shop.folder.path, "-user", "root"])
      #expect(found.output == "")
    }
  }

  @Test func whatTheDaemonMakesIsForItsUserAlone() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      let made = try await ChildProcess.run(
        "find", [shop.folder.path("state"), shop.runtimeFolder, "-mindepth", "1", "-perm", "/077"])
      #expect(made.output == "")
      #expect(FileManager.default.fileExists(atPath: shop.socket))
    }
  }

  @Test func twoDaemonsOfOneHostHaveOnePacer() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      // Another ledger, the same API.
      try FileManager.default.createDirectory(atPath: shop.folder.path("other"), withIntermediateDirectories: false)
      try shop.configure(["ledger.location": "'sqlite:\(shop.folder.path("other/ledger.sqlite"))'"])
      try await shop.sandbox.put([SandboxReferral("t", email: "cleo@example.com")])
      let second = try shop.launch()
      #expect(await eventually(within: .seconds(20)) { second.standardError.contains("caught up") })
      try await shop.insert(ShopOrder(3, email: "cleo@example.com"))
      let isSent = { (line: String) in line.contains("order 3 for referral t") }
      #expect(await eventually(within: .seconds(40)) { second.errorLines.contains(where: isSent) })
      let found = try await ChildProcess.run("find", [shop.folder.path, "-name", "pacer-*"])
      let files = found.output.split(separator: "\n")
      #expect(files.count { !$0.hasSuffix(".kept") } == 1, "\(found.output)")
      // For after a reboot, which empties the folder of the other; the second daemon has learnt nothing new.
      #expect(files.count { $0.hasSuffix(".kept") && $0.contains("/state/") } == 1, "\(found.output)")
    }
  }

  @Test func anIdleDaemonSleeps() async throws {
    try await DaemonFixture.with(["orders.poll_interval": "5s"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "nobody@example.com"))
      let daemon = try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "waiting"]))
      let before = try ProcessUsage(daemon.pid)
      try await Task.sleep(for: .seconds(10))
      let after = try ProcessUsage(daemon.pid)
      let (ticks, switches) = (after.cpuTicks - before.cpuTicks, after.switches - before.switches)
      print("idle for 10 s: \(ticks * 10) ms of CPU, \(switches) context switches, \(after.residentKiB) KiB resident")
      // Two polls and a sweep at most: a loop that spins takes a thousand ticks, one that polls each 10 ms a thousand
      // switches.
      #expect(ticks < 50)
      #expect(switches < 600)
      #expect(after.residentKiB < 80 * 1024)
    }
  }

  @Test func aBlockedLogStopsNeitherReportingNorTheEnd() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...20).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...20).map { ShopOrder($0, email: "friend\($0)@example.com") })
      let pipe = shop.folder.path("log")
      #expect(try await ChildProcess.run("mkfifo", [pipe]).end == .exited(0))
      // A pipe that is full before the daemon starts, and that is never read.
      let script = """
        exec 9<>"$0"; dd if=/dev/zero of="$0" oflag=nonblock bs=4096 count=1024 2>/dev/null; exec "$@" 2>&9 9>&-
        """
      let daemon = try shop.launch(prefix: ["sh", "-c", script, pipe])
      let all = Dictionary(uniqueKeysWithValues: (1...20).map { (String($0), "reported") })
      #expect(await shop.reaches(all))
      #expect(daemon.standardError.isEmpty)
      let before = try ProcessUsage(daemon.pid).cpuTicks
      try await Task.sleep(for: .seconds(3))
      #expect(try ProcessUsage(daemon.pid).cpuTicks - before < 75, "it doesn't spin")
      let began = ContinuousClock.now
      #expect(try await shop.stop() == .exited(0))
      #expect(ContinuousClock.now - began < .seconds(30))
    }
  }

  @Test func aClosedLogStopsNothingEither() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      let daemon = try shop.launch(prefix: ["sh", "-c", #"exec "$@" 2>&-"#, "sh"])
      #expect(await shop.reaches(["1": "reported"]))
      #expect(try await shop.stop() == .exited(0))
      #expect(daemon.standardError.isEmpty)
      // Nothing that was opened first may have become descriptor 2.
      #expect(FileManager.default.contents(atPath: shop.ledgerFile)?.range(of: Data("started with".utf8)) == nil)
    }
  }
}
