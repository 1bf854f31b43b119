import Foundation
import Synchronization
import TestHosts

/// The built daemon with a configuration and a ledger of its own, which is started, killed and asked by its commands
/// alone.
final class DaemonProcess: Sendable {
  /// The answer of `status --json`, as far as it is needed here.
  struct Status: Decodable, Sendable {
    struct Count: Decodable, Sendable {
      let outcome: String
      let count: Int
    }
    struct Mirror: Decodable, Sendable {
      let completeSweepAt: String?
      let ageSeconds: Int64?
      let distrust: String?
    }

    let state: String
    let caughtUpAt: String?
    let outcomes: [Count]
    let mirror: Mirror

    func count(_ names: String...) -> Int { outcomes.filter { names.contains($0.outcome) }.reduce(0) { $0 + $1.count } }
  }

  /// The answer of `queue list` and `queue show` about an order.
  struct Entry: Decodable, Sendable {
    struct Send: Decodable, Sendable {
      let startedAt: String
    }

    let id: Int64
    let key: String
    let state: String
    let reason: String?
    let referral: String?
    let unknownOutcome: Bool
    let sends: [Send]?
  }

  private static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }()

  private let program: String
  private let folder: TemporaryFolder
  private let runs = Mutex<[ChildProcess]>([])

  init(connection: String, sandbox: SandboxProcess, sweepInterval: String) throws {
    program = try builtProduct("conversiond")
    folder = try TemporaryFolder("torture")
    for name in ["state", "run"] {
      try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: false)
    }
    try folder.write(
      """
      orders:
        connection: '\(connection)'
        from: orders
        columns:
          id: id
          email: customer_email
          external_source_id: lead_id
          total: total_cents
          currency: currency
          status: status
          placed_at: placed_at
          updated_at: updated_at
        qualifying_statuses: [paid, completed]
        start: beginning
        poll_interval: 500ms
        sweep_interval: \(sweepInterval)
      matching:
        attribution_window: \(ShopSchema.attributionWindowDays)d
        wait_for_referral: 9999d
      api:
        base_url: '\(sandbox.baseURL)'
        key_file: '\(sandbox.keyFile)'
        writes_per_minute: unlimited
        conversions_per_minute: unlimited
        reads_per_minute: unlimited
      ledger:
        location: 'sqlite:\(folder.path("state/ledger.sqlite"))'

      """, to: "conversiond.yaml")
  }

  private var environment: [String: String] {
    [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
      "RUNTIME_DIRECTORY": folder.path("run"),
    ]
  }

  func start() throws {
    let process = try ChildProcess(
      program, ["run", "--config", folder.path("conversiond.yaml")], environment: environment)
    runs.withLock { $0.append(process) }
  }

  /// Ends it by a signal; throws where it had ended by itself.
  func stop(_ signal: Int32) async throws {
    guard let process = runs.withLock({ $0.last }) else { return }
    guard process.end == nil else { throw TestHostError("the daemon ended by itself: \(log.suffix(2000))") }
    process.signal(signal)
    try await process.wait(within: .seconds(30))
  }

  /// The lines that it has logged in all its runs.
  var log: String { runs.withLock { $0 }.map(\.standardError).joined() }

  /// nil while it doesn't answer.
  func status() async -> Status? {
    guard let text = try? await command(["status", "--json"]) else { return nil }
    return try? Self.decoder.decode(Status.self, from: Data(text.utf8))
  }

  /// Every order that it knows, by key.
  func entries() async throws -> [String: Entry] {
    let lines = try await command(["queue", "list", "--state", "ALL", "--json"]).split(separator: "\n")
    let entries = try lines.map { try Self.decoder.decode(Entry.self, from: Data($0.utf8)) }
    return Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
  }

  /// One order with its sends.
  func entry(_ id: Int64) async throws -> Entry {
    try Self.decoder.decode(Entry.self, from: Data(try await command(["queue", "show", "--json", "#\(id)"]).utf8))
  }

  /// Discards the orders whose rows went missing together, as an operator does who knows that they were deleted on
  /// purpose: by themselves they wait for seven days, and their rivals behind them.
  ///
  /// - Returns: The number of them.
  func discardMissing() async throws -> Int {
    let missing = try await entries().values.filter { $0.state == "held" && $0.reason == "row_missing" }.map(\.key)
    guard !missing.isEmpty else { return 0 }
    _ = try await command(["queue", "discard"] + missing + ["--reason", "deleted on purpose", "--yes"])
    return missing.count
  }

  private func command(_ words: [String]) async throws -> String {
    let words = words + ["--config", folder.path("conversiond.yaml")]
    return try await ChildProcess.run(program, words, environment: environment, within: .seconds(20)).output
  }
}
