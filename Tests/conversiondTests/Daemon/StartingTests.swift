import Foundation
import TestHosts
import Testing

@Suite struct StartingTests {
  /// Starts a daemon that is expected to refuse.
  private func refusal(
    _ shop: DaemonFixture, _ options: [String] = [], prefix: [String] = [], environment: [String: String] = [:]
  ) async throws -> (end: ChildProcess.End, errors: String) {
    let daemon = try shop.launch(options, prefix: prefix, environment: environment)
    let end = try await daemon.wait(within: .seconds(20))
    #expect(daemon.standardOutput.isEmpty)
    return (end, daemon.standardError)
  }

  /// The last line, which says why.
  private func reason(_ errors: String) -> String { errors.split(separator: "\n").last.map(String.init) ?? "" }

  @Test func aCommandThatHasTheLedgerOpenForAMomentDelaysAStartAndDoesNotFailIt() async throws {
    try await DaemonFixture.with { shop in
      let descriptor = unsafe open(shop.ledgerFile + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      let daemon = try shop.launch()
      try await Task.sleep(for: .seconds(1))
      #expect(daemon.end == nil)
      #expect(!daemon.standardError.contains(" started with "))
      close(descriptor)
      #expect(await eventually { daemon.standardError.contains(" started with ") })
    }
  }

  @Test func aSecondDaemonOnOneLedgerEndsWith75AndTheFirstGoesOn() async throws {
    try await DaemonFixture.with { shop in
      let first = try await shop.start()
      let (end, errors) = try await refusal(shop)
      #expect(end == .exited(75))
      #expect(
        reason(errors)
          == "conversiond: \(shop.ledgerFile) is in use by another conversiond; one ledger has one daemon")
      #expect(first.end == nil)
      #expect(try await shop.status().end == .exited(0))
    }
  }

  @Test func tenMistakesAreTenLines() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write(
        """
        orders:
          conection: "host=/tmp"
          from: orders
          columns:
            id: id
            email: customer_email
            placed_at: created_at
            statuss: status
          total_unit: pence
          poll_interval: soon
          start: whenever
        matching:
          keys: [phone]
          choose: best
        api:
          base_url: http://offertown.net/api
          writes_per_minute: 0
        ledger:
          size_max: small
        log:
          level: loud
        """, to: "conversiond.yaml")
      let (end, errors) = try await refusal(shop)
      #expect(end == .exited(78))
      let lines = errors.split(separator: "\n").map(String.init)
      let place = try Regex("^\(NSRegularExpression.escapedPattern(for: shop.configurationFile)):[0-9]+:[0-9]+: .+")
      let mistakes = lines.dropLast()
      #expect(mistakes.allSatisfy { $0.contains(place) })
      #expect(mistakes.contains { $0.contains("did you mean") || $0.contains("connection") })
      #expect(lines.last == "conversiond: \(mistakes.count) mistakes in \(shop.configurationFile)")
      for line in [2, 8, 9, 10, 11, 13, 14, 16, 17, 19, 21] {
        #expect(mistakes.contains { $0.hasPrefix("\(shop.configurationFile):\(line):") }, "nothing about line \(line)")
      }
    }
  }

  @Test func aMissingConfigurationIsOneLineAnd78() async throws {
    try await DaemonFixture.with { shop in
      try FileManager.default.removeItem(atPath: shop.configurationFile)
      let (end, errors) = try await refusal(shop)
      #expect(end == .exited(78))
      #expect(errors.split(separator: "\n").count == 1)
      #expect(errors.contains("there is no such file"))
    }
  }

  @Test func aKeyFileThatIsMissingOrReadableByOthersOrNoKeyIsRefusedWithoutPrintingIt() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write(DaemonFixture.key, to: "api-key", permissions: 0o640)
      var (end, errors) = try await refusal(shop)
      #expect(end == .exited(77))
      #expect(reason(errors).contains("chmod 600 \(shop.keyFile)"))
      try shop.folder.write("oft_thisisasecretbutnokey", to: "api-key", permissions: 0o600)
      (end, errors) = try await refusal(shop)
      #expect(end == .exited(78))
      #expect(!errors.contains("thisisasecret"))
      #expect(errors.contains(shop.keyFile))
      try FileManager.default.removeItem(atPath: shop.keyFile)
      (end, errors) = try await refusal(shop)
      #expect(end == .exited(78))
      #expect(reason(errors).contains("\(shop.keyFile): No such file or directory"))
      #expect(!FileManager.default.fileExists(atPath: shop.ledgerFile), "a ledger was made all the same")
    }
  }

  @Test func theCredentialOfSystemdGoesBeforeTheKeyFile() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write("nonsense", to: "api-key", permissions: 0o600)
      let credentials = shop.folder.path("credentials")
      try FileManager.default.createDirectory(atPath: credentials, withIntermediateDirectories: false)
      let environment = ["CREDENTIALS_DIRECTORY": credentials]
      try shop.folder.write(DaemonFixture.key, to: "credentials/api-key", permissions: 0o444)
      #expect(try await refusal(shop, environment: environment).end == .exited(77))
      // systemd shows an ACL for the service's user as group bits.
      try shop.folder.write(DaemonFixture.key, to: "credentials/api-key", permissions: 0o440)
      let daemon = try shop.launch(environment: environment)
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains(" started with ") })
      daemon.signal(SIGTERM)
      #expect(try await daemon.wait() == .exited(0))
    }
  }

  @Test func anotherMappingIsRefusedOnceTheLedgerHoldsOrders() async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      try await shop.stop()
      // Nothing is in it yet, so nothing can be confused.
      try shop.configure(["orders.columns.id": "id::text || '-x'", "orders.key": "id"])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop()
      for change in ["orders.columns.id": "id", "orders.from": "ONLY orders", "orders.key": "id + 0"] {
        try shop.configure([change.key: change.value])
        let (end, errors) = try await refusal(shop)
        #expect(end == .exited(78), "after a change of \(change.key)")
        #expect(reason(errors).contains("\(change.key) was"))
        try shop.configure(["orders.columns.id": "id::text || '-x'", "orders.key": "id", "orders.from": "orders"])
      }
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
    }
  }

  @Test func aNewerLedgerIsLeftAloneWith65() async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      try await shop.stop()
      let sqlite = try await ChildProcess.run(
        "sqlite3", [shop.ledgerFile, "INSERT INTO grdb_migrations VALUES ('99: of tomorrow')"])
      #expect(sqlite.end == .exited(0))
      let before = FileManager.default.contents(atPath: shop.ledgerFile)
      let (end, errors) = try await refusal(shop)
      #expect(end == .exited(65))
      #expect(reason(errors).contains("newer version"))
      #expect(try await shop.run("status").end == .exited(65))
      #expect(FileManager.default.contents(atPath: shop.ledgerFile) == before)
    }
  }

  @Test func aLedgerThatIsNoneIsLeftAloneWith65() async throws {
    try await DaemonFixture.with { shop in
      let garbage = String(repeating: "this is no database\n", count: 500)
      try garbage.write(toFile: shop.ledgerFile, atomically: false, encoding: .utf8)
      #expect(try await refusal(shop).end == .exited(65))
      #expect(try String(contentsOfFile: shop.ledgerFile, encoding: .utf8) == garbage)
      try FileManager.default.removeItem(atPath: shop.ledgerFile)
      _ = try await ChildProcess.run("sqlite3", [shop.ledgerFile, "CREATE TABLE addresses (name TEXT)"])
      let (end, errors) = try await refusal(shop)
      #expect(end == .exited(65))
      #expect(reason(errors).contains("no ledger of conversiond"))
    }
  }

  @Test func aLedgerFolderThatIsNotOursIs77AndAMissingOneSaysSo() async throws {
    try await DaemonFixture.with { shop in
      try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: shop.folder.path("state"))
      // Root may write anywhere, unless it gives that right away.
      let prefix = getuid() == 0 ? ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] : []
      let (end, errors) = try await refusal(shop, prefix: prefix)
      #expect(end == .exited(77))
      #expect(reason(errors).contains("\(shop.ledgerFile).lock: Permission denied"))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: shop.folder.path("state"))
      try FileManager.default.removeItem(atPath: shop.folder.path("state"))
      let missing = try await refusal(shop)
      #expect(missing.end == .exited(78))
      #expect(reason(missing.errors).contains("the folder of \(shop.ledgerFile) is not there; make it"))
    }
  }
}
