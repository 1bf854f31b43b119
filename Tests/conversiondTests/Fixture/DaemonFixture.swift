import Foundation
import PartnersSandbox
import Synchronization
import TestHosts
import Testing

@testable import conversiond

/// A shop's database, the sandbox, and the built program between them, in a folder of one test's own.
final class DaemonFixture: Sendable {
  static let key = SandboxConfiguration.defaultKey

  let folder: TemporaryFolder
  let database: TestDatabase
  let sandbox: PartnersSandbox
  let program: String
  /// Every daemon that was started, the latest last.
  private let daemons = Mutex<[ChildProcess]>([])
  private let written: Mutex<DaemonConfiguration>

  var configurationFile: String { folder.path("conversiond.yaml") }
  var keyFile: String { folder.path("api-key") }
  var ledgerFile: String { folder.path("state/ledger.sqlite") }
  var runtimeFolder: String { folder.path("run") }
  var socket: String { runtimeFolder + "/control.sock" }

  /// Makes a fixture for `body`, and ends all of it, whatever happens.
  static func with(
    _ settings: [String: String?] = [:], sandbox: SandboxConfiguration = .unlimited, cluster: PostgresCluster? = nil,
    _ body: (DaemonFixture) async throws -> Void
  ) async throws {
    await FixtureGate.shared.enter()
    do {
      let fixture = try await DaemonFixture(settings, sandbox: sandbox, cluster: cluster)
      do {
        try await body(fixture)
        await fixture.end()
        fixture.expectNoSecrets()
      } catch {
        await fixture.end()
        throw error
      }
    } catch {
      await FixtureGate.shared.leave()
      throw error
    }
    await FixtureGate.shared.leave()
  }

  private init(
    _ settings: [String: String?], sandbox configuration: SandboxConfiguration, cluster: PostgresCluster?
  ) async throws {
    program = try builtProduct("conversiond")
    folder = try TemporaryFolder("daemon")
    let shop: PostgresCluster
    if let cluster { shop = cluster } else { shop = try await .shared() }
    database = try await shop.createDatabase()
    try await database.execute(ShopOrder.table)
    sandbox = PartnersSandbox(configuration)
    let address = try await sandbox.start()
    for name in ["state", "run"] {
      try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: false)
    }
    try folder.write(Self.key + "\n", to: "api-key", permissions: 0o600)
    var text = DaemonConfiguration(
      connection: database.conninfo, baseURL: address.baseURL, keyFile: folder.path("api-key"),
      ledger: folder.path("state/ledger.sqlite"))
    for (path, value) in settings { text[path] = value }
    written = Mutex(text)
    try configure([:])
  }

  private func end() async {
    for daemon in daemons.withLock({ $0 }) where daemon.end == nil {
      daemon.signal(SIGKILL)
      _ = try? await daemon.wait()
    }
    await sandbox.stop()
  }

  /// Writes the configuration again, with other values.
  func configure(_ settings: [String: String?]) throws {
    let text = written.withLock { configuration in
      for (path, value) in settings { configuration[path] = value }
      return configuration.text
    }
    try folder.write(text, to: "conversiond.yaml")
  }

  /// The environment that a unit would give.
  var environment: [String: String] {
    ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "RUNTIME_DIRECTORY": runtimeFolder]
  }
}

extension DaemonFixture {
  /// Starts a daemon without waiting for anything; `prefix` is a program that becomes it.
  @discardableResult
  func launch(
    _ options: [String] = [], prefix: [String] = [], environment extra: [String: String] = [:]
  ) throws -> ChildProcess {
    let words = prefix + [program, "run", "--config", configurationFile] + options
    let daemon = try ChildProcess(
      words[0], Array(words.dropFirst()), environment: environment.merging(extra) { $1 })
    daemons.withLock { $0.append(daemon) }
    return daemon
  }

  /// Starts a daemon and waits until it says so.
  @discardableResult
  func start(
    _ options: [String] = [], prefix: [String] = [], environment extra: [String: String] = [:]
  ) async throws -> ChildProcess {
    let daemon = try launch(options, prefix: prefix, environment: extra)
    let isUp = await eventually(within: .seconds(20)) {
      daemon.end != nil || daemon.standardError.contains(" started with ")
    }
    guard isUp, daemon.end == nil else { throw TestHostError("the daemon did not start: \(daemon.standardError)") }
    guard !options.contains("--dry-run") else { return daemon }
    guard await eventually(within: .seconds(20), { await self.peek() != nil }) else {
      throw TestHostError("the daemon's socket does not answer: \(daemon.standardError)")
    }
    return daemon
  }

  /// Ends the latest daemon by a signal, and says how it ended.
  @discardableResult
  func stop(_ signal: Int32 = SIGTERM, within limit: Duration = .seconds(30)) async throws -> ChildProcess.End? {
    guard let daemon = daemons.withLock({ $0.last }) else { return nil }
    daemon.signal(signal)
    return try await daemon.wait(within: limit)
  }

  /// The lines that all daemons have logged so far.
  var log: String { daemons.withLock { $0 }.map(\.standardError).joined() }

  /// True once a line of the log has the words: it is written after the ledger shows the change that it tells of.
  func logs(_ words: String) async -> Bool { await eventually(within: .seconds(5)) { log.contains(words) } }

  /// The text that all daemons have printed so far.
  var output: String { daemons.withLock { $0 }.map(\.standardOutput).joined() }

  func insert(_ orders: ShopOrder...) async throws { try await insert(orders) }

  func insert(_ orders: [ShopOrder]) async throws {
    try await database.execute("BEGIN;\n" + orders.map(\.insertion).joined(separator: "\n") + "\nCOMMIT;")
  }
}
