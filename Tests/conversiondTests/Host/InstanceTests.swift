import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Several daemons on one host, each for a shop of its own, with one runtime directory and one API.
@Suite struct InstanceTests {
  private static let isPossible = PrivateDisk.isPermitted && getuid() == 0

  /// The plain instance and one with a name, in the places that their names give them.
  @Test(.enabled(if: isPossible, "mounting is not permitted here"))
  func eachCommandFindsItsOwnDaemonAndNamesItsUnit() async throws {
    try await DaemonFixture.with { shop in
      let host = try PrivateHost(program: shop.program)
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com"), SandboxReferral("r2", email: "cleo@example.com"),
      ])
      let other = try await shop.database.cluster.createDatabase()
      try await other.execute(ShopOrder.table + ShopOrder(2, email: "cleo@example.com").insertion)
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      let url = try await shop.sandbox.waitUntilListening().baseURL
      var instances: [RunningInstance] = []
      for (name, order, database) in [(nil, "1", shop.database), ("shop2", "2", other)] {
        try host.configure(name, connection: database.conninfo, baseURL: url)
        instances.append(try await host.start(name, order: order))
      }
      for instance in instances { #expect(await instance.reports(), "\(instance.log)") }
      #expect(try host.files("run/conversiond").filter { $0.hasSuffix(".sock") } == ["control.sock", "shop2.sock"])
      #expect(try host.files("run/conversiond").filter { $0.hasPrefix("pacer-") }.count == 1)
      #expect(
        try host.files("lib/conversiond").filter { $0.hasSuffix(".sqlite") } == ["ledger.sqlite", "shop2.sqlite"])
      for instance in instances { try await expectAnswers(of: instance) }
      try await expectUnreadableKey(host, instances[1])

      try await instances[1].stop()
      #expect(try host.files("run/conversiond").filter { $0.hasSuffix(".sock") } == ["control.sock"])
      let waits = try await instances[1].run("resume", "--clock")
      #expect(waits.end == .exited(3) && waits.errors.hasSuffix("Try: systemctl start conversiond@shop2\n"))
      #expect(try await instances[1].run("status").end == .exited(3))
      #expect(try await instances[0].run("status").end == .exited(0))
      for instance in instances { shop.expectNoSecrets("log", instance.log) }
      try await instances[0].stop()
    }
  }

  private func expectAnswers(of instance: RunningInstance) async throws {
    let ledger = "/var/lib/conversiond/\(instance.name ?? "ledger").sqlite"
    let status = try await instance.run("status", "--json")
    let report = try JSONDecoder.contract.decode(StatusReport.self, from: Data(status.output.utf8))
    #expect(report.pid == instance.pid && report.ledger == ledger && status.end == .exited(0))
    for order in ["1", "2"] {
      let shown = try await instance.run("queue", "show", order)
      #expect(shown.end == .exited(order == instance.order ? 0 : 4), "\(instance.name ?? "-") \(order): \(shown)")
    }
    #expect(try await instance.run("resume", "--clock").end == .exited(0))
    let held = try await instance.run("queue", "hold", instance.order, "--json").output
    #expect(held.contains(#""order":"\#(instance.order)""#), "\(held)")
    let copy = "/run/\(instance.name ?? "plain").backup"
    let backup = try await instance.run("backup", copy, "--json")
    #expect(try JSONDecoder.contract.decode(BackupReport.self, from: Data(backup.output.utf8)).ledger == ledger)
    let forgotten = try await instance.run("forget", "ana@example.com", "--json")
    let traces = try JSONDecoder.contract.decode(ForgetReport.self, from: Data(forgotten.output.utf8))
    #expect(traces.orders.map(\.order) == (instance.order == "1" ? ["1"] : []))
    let check = try await instance.run("check")
    #expect(check.output.contains("\(ledger) is in use by the running daemon, process \(instance.pid)"), "\(check)")
    #expect(check.output.contains("/etc/conversiond/\(instance.name ?? "conversiond").yaml has no mistakes"))
    let unit = "conversiond\(instance.name.map { "@" + $0 } ?? "")"
    for command in [["restore", copy], ["rebuild"], ["accept-mapping"]] {
      let refused = try await instance.run(command)
      #expect(refused.end == .exited(75) && refused.errors.hasSuffix(": systemctl stop \(unit)\n"), "\(refused)")
    }
    let second = try await instance.run("run")
    #expect(second.end == .exited(75) && second.errors.contains("\(ledger) is in use by another"), "\(second)")
  }

  private func expectUnreadableKey(_ host: PrivateHost, _ instance: RunningInstance) async throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: host.folder.path("etc/conversiond/shop2.api-key"))
    let check = try await instance.run("check", "--offline")
    #expect(check.end == .exited(77), "\(check)")
    #expect(check.output.contains("others can read the API key in /etc/conversiond/shop2.api-key"), "\(check.output)")
  }

  /// Ten reports of two shops, at the API's own limits: one budget makes them take twice as long as either alone.
  @Test func allKeepTheLimitsOfOneHost() async throws {
    try await DaemonFixture.with(sandbox: SandboxConfiguration()) { shop in
      let url = try await shop.sandbox.waitUntilListening().baseURL
      try await shop.sandbox.put((1...10).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      var daemons: [ChildProcess] = []
      for (name, orders) in [("de", 1...5), ("fr", 6...10)] {
        let database = try await shop.database.cluster.createDatabase()
        let rows = orders.map { ShopOrder($0, email: "friend\($0)@example.com").insertion }
        try await database.execute(ShopOrder.table + rows.joined())
        var configuration = DaemonConfiguration(
          connection: database.conninfo, baseURL: url, keyFile: shop.keyFile,
          ledger: shop.folder.path("state/ledger-\(name).sqlite"))
        (configuration["api.writes_per_minute"], configuration["api.conversions_per_minute"]) = (nil, nil)
        let file = try shop.folder.write(configuration.text, to: "\(name).yaml")
        daemons.append(
          try ChildProcess(
            shop.program, ["run", "--config", file, "--instance", name], environment: shop.environment))
      }
      let isDone = await eventually(within: .seconds(120)) { await shop.sandbox.state.counters.converted == 10 }
      #expect(isDone, "\(daemons.map(\.standardError))")
      let state = await shop.sandbox.state
      #expect(state.counters.rateLimited == 0)
      let times = state.reports.map(\.arrival.monotonicNanoseconds)
      let seconds = Double((times.last ?? 0) - (times.first ?? 0)) / 1e9
      // Nine gaps of two seconds; five reports of one shop alone have four.
      #expect(seconds > 16, "\(seconds)")
      let names = try FileManager.default.contentsOfDirectory(atPath: shop.runtimeFolder)
      #expect(names.filter { $0.hasPrefix("pacer-") }.count == 1 && !names.contains("control.sock"), "\(names)")
      for name in ["de", "fr"] {
        let file = shop.folder.path("\(name).yaml")
        let status = try await shop.run(["--instance=\(name)", "--config", file, "status", "--json"])
        #expect(status.output.contains("ledger-\(name).sqlite") && status.end == .exited(0), "\(status)")
      }
      for daemon in daemons {
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
        shop.expectNoSecrets("log", daemon.standardError)
      }
    }
  }

  /// A line of the log names the command for the shop that it is of.
  @Test func theLogNamesCommandsForItsInstance() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...30).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...30).map { ShopOrder($0, email: "friend\($0)@example.com", status: "open") })
      try shop.configure(["orders.qualifying_statuses": "[paid]"])
      try await run(shop, until: "caught up")
      try shop.configure(["orders.qualifying_statuses": "[paid, open]"])
      let log = try await run(shop, until: "queue release")
      #expect(log.contains("conversiond --instance b queue release"), "\(log)")
      #expect(!log.contains("conversiond queue"))
    }
  }

  /// Runs the fixture's shop as an instance until its log has the words.
  @discardableResult
  private func run(_ shop: DaemonFixture, until words: String) async throws -> String {
    let daemon = try shop.launch(["--instance", "b"])
    #expect(await eventually(within: .seconds(60)) { daemon.standardError.contains(words) }, "\(daemon.standardError)")
    daemon.signal(SIGTERM)
    try await daemon.wait()
    return daemon.standardError
  }

  @Test(arguments: ["a/b", "../b", ".b", "-b", "ledger", "conversiond", "control", "é"])
  func aNameThatIsNoneIsRefused(name: String) async throws {
    let program = try builtProduct("conversiond")
    for words in [["status", "--instance=\(name)"], ["--instance=\(name)", "status"]] {
      let refused = try await ChildProcess.run(program, words)
      #expect(refused.end == .exited(64), "\(words): \(refused)")
      #expect(refused.errors.contains(": a name has ") || refused.errors.contains("take another name"), "\(refused)")
    }
  }
}

/// A host of a test's own: /etc, /var/lib and /run as its programs see them.
private struct PrivateHost {
  let folder: TemporaryFolder
  let program: String

  init(program: String) throws {
    self.program = program
    folder = try TemporaryFolder("host")
    for name in ["etc/conversiond", "lib/conversiond", "run/conversiond"] {
      try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    for name in ["passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache"] {
      guard let content = FileManager.default.contents(atPath: "/etc/" + name) else { continue }
      try content.write(to: URL(fileURLWithPath: folder.path("etc/" + name)))
    }
  }

  /// Writes an instance's key and a configuration that names neither key nor ledger.
  func configure(_ name: String?, connection: String, baseURL: String) throws {
    var configuration = DaemonConfiguration(connection: connection, baseURL: baseURL, keyFile: "", ledger: "")
    (configuration["api.key_file"], configuration["ledger.location"]) = (nil, nil)
    try folder.write(configuration.text, to: "etc/conversiond/\(name ?? "conversiond").yaml")
    let key = "etc/conversiond/\(name.map { $0 + "." } ?? "")api-key"
    try folder.write(DaemonFixture.key + "\n", to: key, permissions: 0o600)
  }

  func files(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path(name)).sorted()
  }

  /// Starts an instance, whose shop has one order.
  func start(_ name: String?, order: String) async throws -> RunningInstance {
    let words = words(name, ["run"])
    let daemon = try ChildProcess(words[0], Array(words.dropFirst()), environment: Self.environment)
    guard await eventually(within: .seconds(20), { daemon.standardError.contains(" started with ") }) else {
      throw TestHostError("the daemon did not start: \(daemon.standardError)")
    }
    return RunningInstance(host: self, name: name, order: order, daemon: daemon)
  }

  /// The folder of the daemon's socket is the one in its place, as a unit would name it.
  static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]

  /// The words of a command for an instance, as a program of this host.
  func words(_ name: String?, _ command: [String]) -> [String] {
    let mounts = #"mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib && mount --bind "$0/run" /run"#
    let instance = name.map { ["--instance", $0] } ?? []
    return ["unshare", "--mount", "sh", "-c", mounts + #" && exec "$@""#, folder.path, program] + command + instance
  }
}

/// One instance and its daemon.
private struct RunningInstance {
  let host: PrivateHost
  let name: String?
  let order: String
  let daemon: ChildProcess

  var pid: Int32 { daemon.pid }
  var log: String { daemon.standardError }

  func stop() async throws {
    daemon.signal(SIGTERM)
    #expect(try await daemon.wait() == .exited(0))
  }

  func run(_ command: String...) async throws -> DaemonFixture.Result { try await run(command) }

  func run(_ command: [String]) async throws -> DaemonFixture.Result {
    let words = host.words(name, command)
    return try await ChildProcess.run(words[0], Array(words.dropFirst()), environment: PrivateHost.environment)
  }

  /// Waits until its order is reported.
  func reports() async -> Bool {
    await eventually(within: .seconds(40), every: .milliseconds(300)) {
      let list = try? await run("queue", "list", "--state", "reported", "--json")
      return list?.output.contains(#""order":"\#(order)""#) == true
    }
  }
}
