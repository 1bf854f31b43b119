import Foundation
import PartnersSandbox
import TestHosts
import Testing

@Suite struct DryRunTests {
  /// Every file in the ledger's folder that is not empty, by name: `status` may leave a write-ahead log without a page.
  private func ledgerFiles(_ shop: DaemonFixture) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state"))
    return Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, FileManager.default.contents(atPath: shop.folder.path("state/\($0)")) ?? Data())
      }
    ).filter { !$0.value.isEmpty }
  }

  @Test func aDryRunSaysWhatItWouldReportAndTouchesNothing() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      try await shop.stop()
      try await shop.insert(ShopOrder(2, email: "friend2@example.com", total: "222"))
      let (before, writes) = (try ledgerFiles(shop), await shop.sandbox.state.counters.writes)

      let daemon = try await shop.start(["--dry-run"])
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains("event=would_report") })
      let body = #"{"conversionValue":222,"currency":"EUR","externalTransactionId":"2"}"#
      let line = daemon.errorLines.first { $0.contains("would_report") }
      #expect(line?.contains("would report order 2 for referral r2: ") == true)
      #expect(line?.replacing("\\", with: "").contains(body) == true)
      // It goes on looking, and says each once.
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains("would report order 3") })
      #expect(try await shop.status().end == .exited(3), "a dry run is no daemon")
      #expect(try await shop.stop() == .exited(0))
      #expect(daemon.errorLines.count { $0.contains("event=would_report") } == 2)
      let after = try ledgerFiles(shop)
      let changed = Set(after.keys).union(before.keys).filter { after[$0] != before[$0] }
      #expect(changed.isEmpty, "\(changed.map { "\($0): \(before[$0]?.count ?? 0) bytes before" })")
      #expect(await shop.sandbox.state.counters.writes == writes)
      #expect(await shop.sandbox.state.reports.count == 1)

      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
    }
  }

  @Test func aDryRunBeforeTheFirstRunLeavesNoLedgerAndNoCopy() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      let scratch = shop.folder.path("tmp")
      try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
      let daemon = try shop.launch(["--dry-run"], environment: ["TMPDIR": scratch])
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains("event=would_report") })
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).count == 1, "the copy is in TMPDIR")
      daemon.signal(SIGTERM)
      #expect(try await daemon.wait() == .exited(0))
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
      #expect(try ledgerFiles(shop).isEmpty)
      #expect(await shop.sandbox.state.counters.writes == 0)
    }
  }

  @Test func aDryRunIsRefusedWith75WhileADaemonHasTheLedger() async throws {
    try await DaemonFixture.with { shop in
      let daemon = try await shop.start()
      let dry = try shop.launch(["--dry-run"])
      #expect(try await dry.wait() == .exited(75))
      #expect(dry.standardError.contains("in use by another conversiond"))
      #expect(daemon.end == nil)
      #expect(try await shop.status().end == .exited(0))
    }
  }
}
