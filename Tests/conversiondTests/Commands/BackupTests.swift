import FlyingFox
import FlyingSocks
import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// `conversiond backup` of a running daemon and of a stopped one, and `conversiond restore` of what it wrote.
@Suite struct BackupTests {
  private func backUp(_ shop: DaemonFixture, to name: String) async throws -> BackupReport {
    let done = try await shop.run("backup", shop.folder.path(name), "--json")
    #expect(done.end == .exited(0), "\(done.errors)")
    return try JSONDecoder.contract.decode(BackupReport.self, from: Data(done.output.utf8))
  }

  /// As if the backup were of two hours ago, and the ledger had last been written an hour ago, so that no request can be
  /// under way any more.
  private func age(_ shop: DaemonFixture, _ backup: String) async throws {
    let facts = ["aliveAt", "lastAnswerAt", "completeSweepEndedAt"].map { name in
      """
      UPDATE facts SET value = json_set(value, '$.\(name)', json_extract(value, '$.\(name)') - 7200000000)
      WHERE json_valid(value) AND json_extract(value, '$.\(name)') IS NOT NULL;
      """
    }
    let orders = """
      UPDATE orders SET decided_at = decided_at - 7200000000;
      UPDATE reports SET last_sent_at = last_sent_at - 7200000000;
      """
    let aged = try await ChildProcess.run("sqlite3", [backup, facts.joined() + orders])
    #expect(aged.end == .exited(0), "\(aged.errors)")
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: shop.ledgerFile + suffix) {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: shop.ledgerFile + suffix)
    }
  }

  private func names(_ shop: DaemonFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: shop.folder.path("state")).sorted()
  }

  /// 1 and 2 are reported before the backup, 3 and 4 after it; 5 is discarded after it, and paid later.
  @Test func whatWasReportedSinceABackupIsReportedOnceAndWhatWasDiscardedStaysSo() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...6).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...2).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start()
      #expect(await shop.reaches(["1": "reported", "2": "reported"]))
      let backup = try await backUp(shop, to: "ledger-backup.sqlite")
      #expect((backup.orders, backup.reports) == (2, 2) && backup.ledger == shop.ledgerFile)
      let attributes = try FileManager.default.attributesOfItem(atPath: backup.file)
      #expect(attributes[.posixPermissions] as? Int == 0o600 && attributes[.size] as? Int == backup.bytes)
      #expect(try !names(shop).contains { $0.contains(".backup-") })

      try await shop.insert((3...4).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(5, email: "friend5@example.com", status: "open"))
      #expect(await shop.reaches(["3": "reported", "4": "reported", "5": "not_qualifying"]))
      #expect(try await shop.run("queue", "discard", "5", "--reason", "fraud", "--yes").end == .exited(0))
      #expect(await shop.reaches(["5": "discarded"]))
      let refused = try await shop.run("restore", backup.file, "--yes")
      #expect(refused.end == .exited(75) && refused.errors.contains("systemctl stop conversiond"))
      try await shop.stop()
      try await age(shop, backup.file)
      try await plan(shop, backup.file)

      let before = try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile))
      let done = try await shop.run("restore", backup.file, "--yes", "--json")
      #expect(done.end == .exited(0), "\(done.errors)")
      let report = try JSONDecoder.contract.decode(RestoreReport.self, from: Data(done.output.utf8))
      #expect(
        report.restored && report.since?.sent.first.sorted() == ["3", "4"] && report.since?.acts.map(\.order) == ["5"])
      let keptAs = try #require(report.keptAs)
      #expect(keptAs.contains(".replaced-") && FileManager.default.contents(atPath: keptAs) == before)
      try await secondLife(shop)
    }
  }

  private func plan(_ shop: DaemonFixture, _ file: String) async throws {
    let (before, bytes) = (try names(shop), try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile)))
    let plan = try await shop.run("restore", file)
    #expect(plan.end == .exited(0), "\(plan.errors)")
    for words in [
      "2 orders, 2 of them reported", "2 orders, which the API has: not sent again: ", "discard of order 5 by ",
      "nothing was changed; --yes does it",
    ] {
      #expect(plan.output.contains(words), "\(words): \(plan.output)")
    }
    #expect(try names(shop) == before)
    #expect(try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile)) == bytes)
  }

  private func secondLife(_ shop: DaemonFixture) async throws {
    try await shop.database.execute("UPDATE orders SET status = 'paid' WHERE id = 5")
    try await shop.insert(ShopOrder(6, email: "friend6@example.com"))
    let sent = await shop.sandbox.state.reports.count
    try await shop.start()
    #expect(
      await shop.reaches([
        "1": "reported", "2": "reported", "3": "reported", "4": "reported", "5": "discarded", "6": "reported",
      ]))
    #expect(await shop.sandbox.state.reports.count == sent + 1, "the new order's alone")
    #expect(
      await shop.logs("Orders that operators held or discarded since stand as restore or rebuild said"), "\(shop.log)")
    #expect(!shop.log.contains("is not in it"))
    for (order, evidence) in [("1", nil), ("3", "API"), ("4", "API"), ("6", nil)] {
      #expect(try await shop.entry(order)?.evidence == evidence, "\(order)")
    }
    let state = await shop.sandbox.state
    for number in [1, 2, 3, 4, 6] { #expect(state.referral("r\(number)")?.externalTransactionID == String(number)) }
    #expect(state.referral("r5")?.status == .pending)
  }

  @Test func aRestoredLedgerWaitsForWhatMayBeUnderWay() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r1", email: "ana@example.com")])
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.stop()
      // Without a daemon the command copies it itself.
      let backup = try await backUp(shop, to: "ledger-backup.sqlite")
      #expect((backup.orders, backup.reports) == (0, 0))
      let text = try await shop.run("restore", backup.file, "--yes")
      #expect(text.end == .exited(0) && text.output.contains("restored; start the daemon when you are content"))
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try shop.folder.write("of a daemon that was killed", to: "state/ledger.sqlite.backup-dead00")
      try await shop.start()
      #expect(try !names(shop).contains { $0.contains(".backup-") })
      #expect(await shop.logs("nothing that was never sent is sent before"), "\(shop.log)")
      #expect(await shop.reaches(["1": "queued"]))
      let quietUntil = try #require(try await shop.status().report.quietUntil)
      let words = "the ledger was restored or rebuilt: nothing that was never sent is sent before \(quietUntil)"
      let screen = try await shop.run("status").output
      #expect(screen.contains(words) && !screen.contains("catching up"), "\(screen)")
      let waiting = try await shop.entry("1")
      #expect(
        waiting?.detail?.hasPrefix(words) == true && waiting?.dueAt == quietUntil, "\(String(describing: waiting))")
      #expect(shop.log.contains(words) && shop.log.contains("event=ledger_replaced"))
      try await Task.sleep(for: .seconds(4))
      #expect(await shop.sandbox.state.reports.isEmpty, "a quarter of an hour is not over")
    }
  }

  @Test func whatCannotBeDoneIsSaidInALineAndLeavesEverything() async throws {
    try await DaemonFixture.with { shop in
      let file = shop.folder.path("ledger-backup.sqlite")
      #expect(try await shop.run("backup", file).end == .exited(4))
      #expect(try await shop.run("restore", file).end == .exited(4))
      try await shop.start()
      #expect(await shop.catchesUp())
      for isRunning in [true, false] {
        if !isRunning { try await shop.stop() }
        let refused: [(arguments: [String], words: String)] = [
          (["backup", "-"], "invalid"), (["backup", shop.folder.path("none/ledger-backup.sqlite")], "the folder of "),
          (["backup", shop.folder.path("state")], "is a folder"), (["backup", "/dev/null"], "is no regular file"),
          (["backup", shop.ledgerFile], "is the ledger's own file"),
          (["backup", shop.ledgerFile + ".lock"], "is the ledger's own file"),
          (["restore", shop.ledgerFile], "is the ledger's own file"),
        ]
        for (arguments, words) in refused {
          let result = try await shop.run(arguments + ["--config", shop.configurationFile])
          #expect(result.end == .exited(64) && result.errors.contains(words), "\(arguments): \(result.errors)")
        }
      }
      try shop.folder.write("not a database", to: "text")
      let text = try await shop.run("restore", shop.folder.path("text"), "--yes")
      #expect(text.end == .exited(65) && text.errors.hasSuffix("; nothing was changed\n"), "\(text.errors)")
      var ledger = try Data(contentsOf: URL(fileURLWithPath: shop.ledgerFile))
      ledger.replaceSubrange(4096..<ledger.count, with: Data(repeating: 0xa5, count: ledger.count - 4096))
      try ledger.write(to: URL(fileURLWithPath: shop.ledgerFile))
      let damaged = try await shop.run("backup", file)
      #expect(damaged.end == .exited(65) && damaged.errors.contains("`conversiond rebuild`"), "\(damaged.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path)
      #expect(!left.contains { $0.hasPrefix("ledger-backup.sqlite") })
      #expect(try !names(shop).contains { $0.contains(".backup-") })
    }
  }

  @Test func aDaemonWithoutBackupsAndAnAnswerThatBreaksOffAreSaid() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write("of yesterday", to: "ledger-backup.sqlite")
      let file = shop.folder.path("ledger-backup.sqlite")
      for isOld in [true, false] {
        let path = shop.ledgerFile
        let server = HTTPServer(
          address: .unix(path: shop.socket), logger: .disabled,
          handler: ClosureHTTPHandler { request in
            if request.path == "/v1/ledger" { return HTTPResponse(statusCode: .ok, body: Data(path.utf8)) }
            guard !isOld, request.path == "/v1/backup" else { return HTTPResponse(statusCode: .notFound) }
            return HTTPResponse(statusCode: .ok, headers: [.contentLength: "5000"], body: Data("SQLite".utf8))
          })
        let serving = Task { try await server.run() }
        #expect(await eventually(within: .seconds(10)) { FileManager.default.fileExists(atPath: shop.socket) })
        let result = try await shop.run("backup", file)
        #expect(result.end == .exited(75), "\(result.errors)")
        #expect(result.errors.contains(isOld ? "makes no backups" : "broke off"), "\(result.errors)")
        serving.cancel()
        _ = try? await serving.value
        try? FileManager.default.removeItem(atPath: shop.socket)
      }
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "of yesterday")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: shop.folder.path).count { $0.contains("backup") } == 1)
    }
  }

  @Test(.enabled(if: PrivateDisk.isPermitted, "mounting is not permitted here"))
  func aFullDiskOnEitherSideIsSaidAndKeepsTheFileThatIsThere() async throws {
    try await DaemonFixture.with { shop in
      try FileManager.default.createDirectory(atPath: shop.folder.path("small"), withIntermediateDirectories: false)
      let small = try await PrivateDisk(over: shop.folder.path("small"), mebibytes: 1)
      let disk = try await PrivateDisk(over: shop.folder.path("state"), mebibytes: 8)
      try await shop.start(prefix: disk.prefix)
      #expect(await shop.catchesUp())
      try await small.fill()
      let full = try await small.run(
        "env", "RUNTIME_DIRECTORY=\(shop.runtimeFolder)", shop.program, "backup",
        shop.folder.path("small/ledger-backup.sqlite"), "--config", shop.configurationFile)
      #expect(full.end == .exited(74) && full.errors.contains("No space left on device"), "\(full.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: small.path("")) == ["filler"])
      try shop.folder.write("of yesterday", to: "ledger-backup.sqlite")
      try await disk.fill()
      let result = try await shop.run("backup", shop.folder.path("ledger-backup.sqlite"))
      #expect(result.end == .exited(74) && result.errors.contains("no room for a copy beside"), "\(result.errors)")
      #expect(try String(contentsOfFile: shop.folder.path("ledger-backup.sqlite"), encoding: .utf8) == "of yesterday")
      try disk.empty()
      #expect(try await backUp(shop, to: "ledger-backup.sqlite").orders == 0)
    }
  }

  /// The backup lies where only root may look, the ledger is its owner's.
  @Test(.enabled(if: getuid() == 0)) func rootKeepsBackupsOfALedgerThatIsAnothers() async throws {
    try await DaemonFixture.with { shop in
      let safe = try TemporaryFolder("backups")
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: safe.path)
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop(SIGKILL)
      for name in [".lock", ".backup-dead00"] { try? FileManager.default.removeItem(atPath: shop.ledgerFile + name) }
      _ = try await ChildProcess.run("chown", ["-R", "postgres", shop.folder.path])
      let file = safe.path("ledger-backup.sqlite")
      let done = try await shop.run("backup", file)
      #expect(done.end == .exited(0) && done.output.contains("1 orders, 0 of them reported"), "\(done)")
      let owner = try FileManager.default.attributesOfItem(atPath: file)[.ownerAccountName] as? String
      #expect(owner == "root")
      #expect(try FileManager.default.contentsOfDirectory(atPath: safe.path) == ["ledger-backup.sqlite"])
      let restored = try await shop.run("restore", file, "--yes")
      #expect(restored.end == .exited(0), "\(restored.errors)")
      #expect(try await ChildProcess.run("find", [shop.folder.path, "-user", "root"]).output == "")
    }
  }
}
