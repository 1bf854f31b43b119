import Foundation
import PartnersSandbox
import TestHosts
import Testing

@Suite struct StoppingTests {
  @Test(arguments: [SIGTERM, SIGINT])
  func aSignalEndsAnIdleDaemonAtOnceWithZero(signal: Int32) async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      let began = ContinuousClock.now
      #expect(try await shop.stop(signal) == .exited(0))
      #expect(ContinuousClock.now - began < .seconds(5))
      #expect(await shop.logs("conversiond stopped"), "\(shop.log)")
      #expect(!FileManager.default.fileExists(atPath: shop.socket))
      #expect(!FileManager.default.fileExists(atPath: shop.ledgerFile + "-wal"))
    }
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func aSignalDuringAHangingSendEndsWithZeroAndTheSendIsDoneAgain(signal: Int32) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.hang(afterWork: true), on: .conversions))
      try await shop.start()
      #expect(await shop.reaches(["1": "sending"]))
      #expect(await eventually { await shop.sandbox.state.converted.count == 1 })
      let began = ContinuousClock.now
      #expect(try await shop.stop(signal) == .exited(0))
      #expect(ContinuousClock.now - began < .seconds(30))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      let state = await shop.sandbox.state
      #expect(state.counters.converted == 1)
      #expect(state.reports.count == 2)
      #expect(Set(state.reportedBodies).count == 1)
    }
  }

  @Test func aSignalDuringTheStartEndsWithZeroOrTheSignal() async throws {
    try await DaemonFixture.with { shop in
      for delay in stride(from: 0, through: 300, by: 60) {
        let daemon = try shop.launch()
        try await Task.sleep(for: .milliseconds(delay))
        daemon.signal(SIGTERM)
        let end = try await daemon.wait(within: .seconds(30))
        // Before the program has had a chance to say otherwise, the kernel ends it.
        #expect(end == .exited(0) || end == .signalled(SIGTERM))
      }
      try await shop.start()
    }
  }

  @Test func aSignalWhileTheShopsTableIsLockedEndsWithZero() async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      async let lock = shop.database.execute(
        "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4); COMMIT;")
      try await Task.sleep(for: .seconds(1))
      let began = ContinuousClock.now
      #expect(try await shop.stop() == .exited(0))
      #expect(ContinuousClock.now - began < .seconds(30))
      _ = try await lock
    }
  }

  @Test func aHangupDoesNotEndTheDaemon() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      let daemon = try await shop.start()
      #expect(await shop.catchesUp())
      for _ in 0..<3 {
        daemon.signal(SIGHUP)
        try await Task.sleep(for: .milliseconds(100))
      }
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      #expect(await shop.reaches(["1": "reported"]))
      #expect(daemon.end == nil)
    }
  }
}
