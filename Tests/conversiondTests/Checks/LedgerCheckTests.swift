import Foundation
import TestHosts
import Testing

@testable import conversiond

@Suite struct LedgerCheckTests {
  /// A ledger that is looked through is a copy, which is gone by the time that the words are read.
  @Test func aDamagedLedgerIsNamedByItsOwnPath() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert((1...300).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["300": "waiting"]))
      try await shop.stop()
      let whole = try await shop.run("check", "--only", "ledger")
      #expect(whole.end == .exited(0) && whole.output.contains("\(shop.ledgerFile) is whole"), "\(whole.output)")
      // All of it into the file.
      let folded = try await ChildProcess.run("sqlite3", [shop.ledgerFile, "PRAGMA wal_checkpoint(TRUNCATE)"])
      #expect(folded.end == .exited(0), "\(folded.errors)")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile))
      try #require(bytes.count > 100_000)
      for (damage, words) in [(0..<4096, ": ledger: file is not a database"), (8192..<bytes.count, " is damaged: ")] {
        var damaged = bytes
        damaged.replaceSubrange(damage, with: Data(repeating: 0xa5, count: damage.count))
        try? FileManager.default.removeItem(atPath: shop.ledgerFile + "-wal")
        try damaged.write(to: URL(fileURLWithPath: shop.ledgerFile))
        let check = try await shop.run("check", "--only", "ledger", "--offline")
        #expect(check.end == .exited(1), "\(damage)")
        #expect(
          check.output.contains(#/FAIL +ledger/#) && check.output.contains(shop.ledgerFile + words), "\(check.output)")
        #expect(!check.output.contains("dry-run") && check.output.contains("→ see what `conversiond rebuild` would do"))
      }
    }
  }
}
