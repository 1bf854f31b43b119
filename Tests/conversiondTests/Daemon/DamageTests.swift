import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A damaged ledger under the whole daemon.
@Suite struct DamageTests {
  private static let count = 60
  private static let turns = ProcessInfo.processInfo.environment["CORRUPTIONS"].flatMap { Int($0) }.map { $0 / 5 } ?? 6

  @Test func damageThatIsMetWhileItRunsEndsTheDaemonWith65() async throws {
    try await DaemonFixture.with(["log.level": "info"]) { shop in
      try await shop.database.execute(
        """
        INSERT INTO orders SELECT n, 'nobody' || n || '@example.com', NULL, NULL, 1000, 'EUR', 'paid',
          now() - interval '1 day' FROM generate_series(1, 30000) n
        """)
      let daemon = try await shop.start()
      #expect(await shop.catchesUp())
      // More than the page cache holds, and all in the file.
      try await shop.stop()
      let again = try await shop.start()
      #expect(daemon.end != nil)
      #expect(await eventually(within: .seconds(30)) { again.standardError.contains("caught up") })
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: shop.ledgerFile))
      let size = try file.seekToEnd()
      try file.seek(toOffset: 8192)
      try file.write(contentsOf: Data(repeating: 0xa5, count: Int(size) - 8192))
      try file.close()
      try await shop.database.execute("UPDATE orders SET total_cents = 7 WHERE id % 100 = 0")
      #expect(try await again.wait(within: .seconds(60)) == .exited(65))
      let last = try #require(again.errorLines.last)
      #expect(last.hasPrefix("conversiond: \(shop.ledgerFile) is damaged: "))
      #expect(last.hasSuffix("; see what `conversiond rebuild` would do, or restore a backup"))
      #expect(await shop.sandbox.state.reports.isEmpty)
    }
  }

  @Test func aLedgerThatWasDamagedWhileItStoodStillIsRefusedOrDoesNoHarm() async throws {
    var sandbox = SandboxConfiguration.unlimited
    sandbox.seed = .random(in: 1...1_000_000)
    try await DaemonFixture.with(["log.level": "info"], sandbox: sandbox) { shop in
      try await Self.makeLedger(shop)
      let pristine = try TemporaryFolder("pristine")
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: shop.ledgerFile + suffix, toPath: pristine.path("l" + suffix))
      }
      let before = await shop.sandbox.state.reports.count
      var random = SeededGenerator(seed: sandbox.seed)
      var (refused, ran) = (0, 0)
      for turn in 1...Self.turns {
        let corruption = Corruption.random(using: &random)
        for suffix in ["", "-wal"] {
          try? FileManager.default.removeItem(atPath: shop.ledgerFile + suffix)
          try FileManager.default.copyItem(atPath: pristine.path("l" + suffix), toPath: shop.ledgerFile + suffix)
        }
        let suffix = turn % 2 == 0 ? "-wal" : ""
        try corruption.strike(shop.ledgerFile + suffix, using: &random)
        let daemon = try shop.launch()
        let ended = await eventually(within: .seconds(4)) { daemon.end != nil }
        if !ended { daemon.signal(SIGTERM) }
        let end = try await daemon.wait()
        let what = "seed \(sandbox.seed), turn \(turn): \(corruption) of ledger.sqlite\(suffix)"
        #expect(end == .exited(65) || (!ended && end == .exited(0)), "\(what): \(end) \(daemon.standardError)")
        if end == .exited(65) {
          refused += 1
          #expect(daemon.errorLines.last?.hasPrefix("conversiond: \(shop.ledgerFile)") == true, "\(what)")
        } else {
          ran += 1
        }
      }
      print("corruptions under the daemon: seed \(sandbox.seed), \(refused) refused, \(ran) ran")
      try await Self.expectNothingTwice(shop, after: before)
    }
  }

  /// Half of the orders reported, the others queued behind an API that answers 503: the daemon was killed.
  private static func makeLedger(_ shop: DaemonFixture) async throws {
    try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.insert((1...(count / 2)).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0)") })
    try await shop.start()
    let half = Dictionary(uniqueKeysWithValues: (1...(count / 2)).map { (String($0), "reported") })
    #expect(await shop.reaches(half))
    try await shop.stop()
    try await shop.start()
    #expect(await eventually(within: .seconds(20)) { shop.log.components(separatedBy: "caught up").count > 2 })
    await shop.sandbox.order(SandboxFaultRule(.answer(SandboxAnswer(503)), on: .conversions, times: nil))
    try await shop.insert(
      (count / 2 + 1...count).map { ShopOrder($0, email: "friend\($0)@example.com", total: "\($0)") })
    #expect(await eventually(within: .seconds(20)) { await shop.peek()?.count == count })
    try await shop.stop(SIGKILL)
  }

  private static func expectNothingTwice(_ shop: DaemonFixture, after before: Int) async throws {
    let state = await shop.sandbox.state
    #expect(state.counters.converted == count / 2, "the API answered 503 to all others")
    for send in state.reports.dropFirst(before) {
      let number = send.path.split(separator: "/").dropLast().last.map { String($0.dropFirst()) } ?? "?"
      let body = #"{"conversionValue":\#(number),"currency":"EUR","externalTransactionId":"\#(number)"}"#
      #expect(String(decoding: send.body, as: UTF8.self) == body, "\(send.path): never for the wrong referral")
    }
  }
}
