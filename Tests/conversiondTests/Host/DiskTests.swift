import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The disk fails under the running daemon, and comes back.
@Suite struct DiskTests {
  private static let count = 600

  /// The cost of a trouble while it lasts.
  private struct Cost: CustomStringConvertible {
    var sends: Int
    var lines: Int
    var milliseconds: Int

    var description: String { "\(sends) sends, \(lines) lines of log, \(milliseconds) ms of CPU" }
  }

  @Test(.enabled(if: PrivateDisk.isPermitted, "mounting is not permitted here"))
  func aFullDiskStopsEverythingAndLosesNothing() async throws {
    try await DaemonFixture.with(["log.level": "info"], sandbox: Self.slow) { shop in
      let disk = try await PrivateDisk(over: shop.folder.path("state"), mebibytes: 16)
      let daemon = try await Self.begin(shop, prefix: disk.prefix)
      try await disk.fill()
      let cost = try await Self.trouble(shop, daemon, "full")
      print("full disk, 8 s of it: \(cost)")
      #expect(!shop.log.contains("is damaged"))
      try disk.empty()
      try await Self.expectAllReportedOnce(shop)
      Self.expectTheLedgersOutageAlone(shop)
      let healthy = try await disk.run("sqlite3", shop.ledgerFile, "PRAGMA integrity_check")
      #expect(healthy.output == "ok\n", "\(healthy.errors)")
      // One that is read-only from the start is refused with a line.
      let readOnly = disk.prefix + ["sh", "-c", #"mount -o remount,ro "$0" && exec "$@""#, shop.folder.path("state")]
      let refused = try shop.launch(prefix: readOnly)
      #expect(try await refused.wait() == .exited(77))
      #expect(refused.errorLines.last?.hasSuffix("ledger.sqlite.lock: Read-only file system") == true)
    }
  }

  @Test(
    .enabled(if: PreloadedLibrary.isPossible, "there is no C compiler"), arguments: [FaultyFiles.Fault.sync, .readOnly])
  func aDiskThatFailsStopsEverythingAndTheLedgerIsOpenedAnew(fault: FaultyFiles.Fault) async throws {
    try await DaemonFixture.with(["log.level": "info"], sandbox: Self.slow) { shop in
      let files = try await FaultyFiles(pathPrefix: shop.folder.path("state/"))
      let daemon = try await Self.begin(shop, environment: files.environment)
      let before = try Self.logSalt(shop)
      try files.order(fault)
      let cost = try await Self.trouble(shop, daemon, fault == .sync ? "disk I/O error" : "ledger")
      print("\(fault), 8 s of it: \(cost)")
      #expect(!shop.log.contains("is damaged"))
      try files.heal()
      let sends = await shop.sandbox.state.reports.count
      #expect(await eventually(within: .seconds(90)) { await shop.sandbox.state.reports.count > sends })
      // A log with another salt began anew: what a failed sync left in it was folded in.
      #expect(try Self.logSalt(shop) != before)
      try await Self.expectAllReportedOnce(shop)
      Self.expectTheLedgersOutageAlone(shop)
      #expect(try await ChildProcess.run("sqlite3", [shop.ledgerFile, "PRAGMA integrity_check"]).output == "ok\n")
    }
  }

  private static var slow: SandboxConfiguration {
    var sandbox = SandboxConfiguration.unlimited
    sandbox.latency = .milliseconds(150)...(.milliseconds(250))
    return sandbox
  }

  /// A daemon in the middle of its work.
  private static func begin(
    _ shop: DaemonFixture, prefix: [String] = [], environment: [String: String] = [:]
  ) async throws -> ChildProcess {
    try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
    try await shop.insert((1...(count / 2)).map { ShopOrder($0, email: "friend\($0)@example.com") })
    let daemon = try await shop.start(prefix: prefix, environment: environment)
    #expect(await eventually(within: .seconds(30)) { await shop.sandbox.state.counters.converted >= 10 })
    return daemon
  }

  /// Lets the trouble last, while the shop goes on.
  private static func trouble(_ shop: DaemonFixture, _ daemon: ChildProcess, _ words: String) async throws -> Cost {
    // Waits until what was under way when it began has ended.
    try await Task.sleep(for: .seconds(1))
    let (usage, sends, lines) = (
      try ProcessUsage(daemon.pid), await shop.sandbox.state.reports.count, daemon.errorLines.count
    )
    #expect(sends < count / 2, "it began in the middle")
    try await shop.insert((count / 2 + 1...count).map { ShopOrder($0, email: "friend\($0)@example.com") })
    try await Task.sleep(for: .seconds(8))
    let (end, report) = try await shop.status()
    #expect(end == .exited(1))
    #expect(report.ledgerHealth.state == "failing" && report.ledgerHealth.message?.contains(words) == true)
    let after = try ProcessUsage(daemon.pid)
    let cost = Cost(
      sends: await shop.sandbox.state.reports.count - sends, lines: daemon.errorLines.count - lines,
      milliseconds: (after.cpuTicks - usage.cpuTicks) * 10)
    #expect(cost.sends == 0, "nothing is sent that can't be remembered")
    #expect(cost.lines <= 10)
    #expect(cost.milliseconds < 1500)
    #expect(daemon.end == nil)
    return cost
  }

  /// Expects the trouble to be told by its cause, whatever the loops were at that met it.
  private static func expectTheLedgersOutageAlone(_ shop: DaemonFixture) {
    let events = { (name: String) in
      shop.log.split(separator: "\n").filter { $0.hasSuffix(" event=\(name)") || $0.contains(" event=\(name) ") }
    }
    #expect(!events("ledger_failed").isEmpty && events("ledger_failed").allSatisfy { $0.contains(" reason=") })
    #expect(!events("ledger_recovered").isEmpty)
    for name in ["poll_failed", "poll_recovered", "mirror_failed", "mirror_recovered"] {
      #expect(events(name).isEmpty, "\(events(name).first ?? "")")
    }
  }

  private static func expectAllReportedOnce(_ shop: DaemonFixture) async throws {
    let all = Dictionary(uniqueKeysWithValues: (1...count).map { (String($0), "reported") })
    #expect(await shop.reaches(all, within: .seconds(120)))
    #expect(await eventually(within: .seconds(20)) { (try? await shop.status().end) == .exited(0) })
    let state = await shop.sandbox.state
    #expect(state.counters.converted == count)
    for number in 1...count {
      #expect(state.referral("r\(number)")?.externalTransactionID == "\(number)")
      let sends = state.reports.filter { $0.path.hasSuffix("/r\(number)/convert") }
      #expect(Set(sends.map(\.body)).count == 1)
    }
    #expect(try await shop.stop() == .exited(0))
  }

  /// The log's salt, which changes each time it begins anew (SQLite, WAL file format).
  private static func logSalt(_ shop: DaemonFixture) throws -> Data {
    let log = try FileHandle(forReadingFrom: URL(fileURLWithPath: shop.ledgerFile + "-wal"))
    defer { try? log.close() }
    return (try log.read(upToCount: 24) ?? Data()).suffix(8)
  }
}
