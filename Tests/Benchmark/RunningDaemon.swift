import Foundation
import PartnersSandbox
import Synchronization
import TestHosts

/// A shop, the sandbox API without limits, and the built daemon between them.
final class RunningDaemon: Sendable {
  let database: TestDatabase
  let sandbox: PartnersSandbox
  /// The time at which each conversion had arrived at the API, by order ID.
  let arrivals: ArrivalTimes
  let daemon: ChildProcess
  private let cluster: PostgresCluster
  private let folder: TemporaryFolder

  /// The program that was built together with this one.
  static var program: String {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/conversiond"
  }

  /// Starts everything, and waits until the daemon has caught up.
  ///
  /// - Parameters:
  ///   - program: The daemon's path.
  ///   - rows: Orders that are there from the beginning.
  ///   - friends: Referrals of newcomer1@example.com and so on.
  ///   - pollInterval: As the configuration has it.
  ///   - notifies: True if the shop tells of changes.
  /// - Throws: `TestHostError` where one of them does not start.
  init(program: String, rows: Int, friends: Int = 0, pollInterval: String, notifies: Bool) async throws {
    cluster = try await PostgresCluster.start()
    database = try await cluster.createDatabase()
    try await database.execute(BenchmarkShop.sql(orders: rows))
    if notifies { try await database.execute(Self.trigger, variables: ["table": "orders"]) }
    let arrivals = ArrivalTimes()
    self.arrivals = arrivals
    var configuration = SandboxConfiguration()
    (configuration.writeLimit, configuration.conversionLimit) = (nil, nil)
    sandbox = PartnersSandbox(configuration, onRequest: { arrivals.note($0) })
    let address = try await sandbox.start()
    for number in 1...max(1, friends) {
      try await sandbox.put([
        SandboxReferral(
          referralID: "newcomer\(number)", friendEmail: "newcomer\(number)@example.com", friendName: "Friend",
          createdAt: SandboxClock.system.now.wallMilliseconds - 3_600_000, referrerIdentifier: "cust_1")
      ])
    }
    folder = try TemporaryFolder("benchmark")
    try folder.write(SandboxConfiguration.defaultKey + "\n", to: "api-key", permissions: 0o600)
    try folder.write(
      Self.text(database.conninfo, address.baseURL, folder.path, pollInterval, notifies), to: "conversiond.yaml")
    daemon = try ChildProcess(
      program, ["run", "--config", folder.path("conversiond.yaml")],
      environment: ["PATH": "/usr/bin:/bin", "RUNTIME_DIRECTORY": folder.path])
    let daemon = daemon
    guard await eventually(within: .seconds(60), { daemon.standardError.contains("caught up") }) else {
      throw TestHostError("the daemon did not catch up: \(daemon.standardError)")
    }
  }

  func stop() async throws {
    daemon.signal(SIGTERM)
    _ = try await daemon.wait()
    await sandbox.stop()
    try await cluster.stop()
  }

  private static let trigger =
    (try? String(contentsOfFile: "deploy/shop/notify.sql", encoding: .utf8)) ?? "\\echo no deploy/shop/notify.sql here"

  /// A configuration without limits, whose files are in one folder.
  static func text(
    _ conninfo: String, _ baseURL: String, _ folder: String, _ pollInterval: String, _ notifies: Bool
  ) -> String {
    """
    orders:
      connection: "\(conninfo)"
      from: orders
      columns: {id: id, email: customer_email, external_source_id: lead_id, total: total_cents, currency: currency,
        status: status, placed_at: created_at, updated_at: updated_at}
      poll_interval: \(pollInterval)
      notify_channel: \(notifies ? "conversiond" : "null")
    api:
      base_url: \(baseURL)
      key_file: \(folder)/api-key
      writes_per_minute: unlimited
      conversions_per_minute: unlimited
      reads_per_minute: unlimited
    ledger:
      location: sqlite:\(folder)/ledger.sqlite
    """
  }
}

/// The times at which conversions arrived.
final class ArrivalTimes: Sendable {
  private let times = Mutex<[String: ContinuousClock.Instant]>([:])

  func note(_ request: SandboxRequestRecord) {
    guard request.method == "POST", request.path.hasSuffix("/convert") else { return }
    let now = ContinuousClock.now - request.duration
    let body = String(decoding: request.body, as: UTF8.self)
    guard let id = body.firstMatch(of: /"externalTransactionId":"(\d+)"/)?.output.1 else { return }
    times.withLock { times in if times[String(id)] == nil { times[String(id)] = now } }
  }

  /// Returns the time at which an order's conversion first arrived.
  func time(of order: Int) -> ContinuousClock.Instant? { times.withLock { $0[String(order)] } }
}
