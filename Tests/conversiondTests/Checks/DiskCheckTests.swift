import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The disk of the ledger: full, failing, or read-only, with and without a daemon that runs.
@Suite struct DiskCheckTests {
  private static let advice = "→ make room there (df and du say what takes it)"

  @Test(.enabled(if: PrivateDisk.isPermitted, "mounting is not permitted here"))
  func aFullDiskFailsWithAndWithoutADaemonOrALedger() async throws {
    try await DaemonFixture.with { shop in
      let disk = try await PrivateDisk(over: shop.folder.path("state"), mebibytes: 24)
      func check() async throws -> DaemonFixture.Result {
        let words = disk.prefix + [shop.program, "check", "--config", shop.configurationFile]
        return try await ChildProcess.run(words[0], Array(words.dropFirst()), environment: shop.environment)
      }
      // No ledger yet.
      #expect(try await check().output.contains(#/warn +disk +2\d MiB are free in .*a test write reached the disk/#))
      try await disk.fill()
      let first = try await check()
      #expect(first.end == .exited(1) && first.output.contains(#/FAIL +disk +0 MiB are free/#), "\(first.output)")
      #expect(first.output.contains(Self.advice))
      try disk.empty()
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start(prefix: disk.prefix)
      #expect(await shop.reaches(["1": "waiting"]))
      #expect(try await check().end == .exited(0))
      try await disk.fill()
      let running = try await check()
      #expect(
        running.end == .exited(1) && running.output.contains("is in use by the running daemon"), "\(running.output)")
      #expect(running.output.contains(#/FAIL +disk/#) && running.output.contains(Self.advice))
      try disk.empty()
      #expect(try await check().end == .exited(0))
      let left = try await disk.run("find", shop.folder.path("state"), "-name", ".conversiond-check*")
      #expect(left.output.isEmpty && left.end == .exited(0))
    }
  }

  @Test(
    .enabled(if: PreloadedLibrary.isPossible, "there is no C compiler"), arguments: [FaultyFiles.Fault.sync, .readOnly])
  func aDiskThatFailsIsMetByTheTestWrite(fault: FaultyFiles.Fault) async throws {
    try await DaemonFixture.with { shop in
      let files = try await FaultyFiles(pathPrefix: shop.folder.path("state/"))
      #expect(try await shop.run("check", "--only", "disk", environment: files.environment).end == .exited(0))
      try files.order(fault)
      let check = try await shop.run("check", "--only", "disk", environment: files.environment)
      #expect(check.end == .exited(1) && check.output.contains(#/FAIL +disk +cannot/#), "\(check.output)")
      #expect(check.output.contains("journalctl -k"))
      try files.heal()
      #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state")).isEmpty)
    }
  }
}
