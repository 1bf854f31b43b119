import Conversions
import Foundation
import Ledger
import Logging
import LoopFixtures
import Orders
import PartnersSandbox
import Pipeline
import Synchronization
import TestHosts

/// A shop whose orders were all queued in a ledger a week ago, and an API that has not been there since.
final class QueuedShop: Sendable {
  let folder: TemporaryFolder
  let sandbox: PartnersSandbox
  /// Each order's place in the queue.
  let place: [String: Int]
  /// Returns true if the order with a number is no backfill's.
  let isLive: @Sendable (Int) -> Bool
  private let cluster: PostgresCluster
  private let arrivals: ArrivalOrder

  var configuration: String { folder.path("conversiond.yaml") }
  var environment: [String: String] { ["PATH": "/usr/bin:/bin", "RUNTIME_DIRECTORY": folder.path] }
  /// The IDs of the orders whose conversions arrived, in the order of arrival.
  var arrived: [String] { arrivals.ids }

  /// The ledger's size in bytes.
  var ledgerBytes: Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: folder.path("ledger.sqlite"))
    return attributes?[.size] as? Int ?? 0
  }

  /// - Parameters:
  ///   - orders: The number of orders that are queued.
  ///   - live: The number of them that are no backfill's.
  ///   - path: The folder in which the ledger's folder is made.
  /// - Throws: `TestHostError` where one of its parts does not start.
  init(orders: Int, live: Int, folder path: String) async throws {
    folder = try TemporaryFolder("benchmark", in: path)
    cluster = try await PostgresCluster.start()
    let database = try await cluster.createDatabase()
    try await database.execute(Self.table(orders: orders), within: .seconds(300))
    let arrivals = ArrivalOrder()
    self.arrivals = arrivals
    var configuration = SandboxConfiguration()
    (configuration.writeLimit, configuration.conversionLimit) = (nil, nil)
    sandbox = PartnersSandbox(configuration, onRequest: { arrivals.note($0) })
    let address = try await sandbox.start()
    let now = WeekOldClock().now
    try await sandbox.put(
      (1...orders).map { number in
        SandboxReferral(
          referralID: "ref_\(number)", friendEmail: "friend\(number)@example.com",
          createdAt: Self.createdAt(number, of: orders, now).milliseconds, referrerIdentifier: "cust_1")
      })
    await sandbox.stop()
    try folder.write(SandboxConfiguration.defaultKey + "\n", to: "api-key", permissions: 0o600)
    try folder.write(
      RunningDaemon.text(database.conninfo, address.baseURL, folder.path, "5s", false), to: "conversiond.yaml")
    isLive = { $0 > orders - live }
    place = try await Self.fill(folder.path("ledger.sqlite"), orders, database.conninfo, now, isLive: isLive)
  }

  func start(_ program: String, notifying manager: NotifySocket) throws -> ChildProcess {
    try ChildProcess(
      program, ["run", "--config", configuration],
      environment: environment.merging(["NOTIFY_SOCKET": manager.path]) { $1 })
  }

  func stop() async throws {
    await sandbox.stop()
    try await cluster.stop()
  }

  private static func table(orders: Int) -> String {
    """
    SET client_min_messages = warning;
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_email text, lead_id text, status text NOT NULL,
      total_cents bigint, currency text, created_at timestamptz NOT NULL, updated_at timestamptz);
    INSERT INTO orders SELECT g, 'friend' || g || '@example.com', NULL, 'paid', 1000 + g % 90000, 'EUR',
      now() - interval '169 hours', now() - interval '169 hours' FROM generate_series(1, \(orders)) g;
    CREATE INDEX ON orders (updated_at);
    VACUUM ANALYZE orders;
    """
  }

  /// Over two months, the last a day before the outage.
  private static func createdAt(_ number: Int, of orders: Int, _ now: Timestamp) -> Timestamp {
    let age = Duration.seconds(86_400) + .seconds(60 * 86_400) * (1 - Double(number) / Double(orders))
    return Timestamp(milliseconds: (now - age).milliseconds)
  }

  /// Queues every order, as intake, mirror and matching would, the backfill first; returns the queue's order.
  private static func fill(
    _ path: String, _ orders: Int, _ conninfo: String, _ now: Timestamp, isLive: @escaping @Sendable (Int) -> Bool
  ) async throws -> [String: Int] {
    let shop = ShopOrders(
      OrderMapping(
        connection: conninfo, from: "orders",
        columns: .init(
          id: "id", email: "customer_email", externalSourceID: "lead_id", total: "total_cents", currency: "currency",
          status: "status", placedAt: "created_at", updatedAt: ["updated_at"]),
        qualifyingStatuses: ["paid", "completed"]))
    let ledger = try SQLiteLedger(path: path)
    try await ledger.endCatchUp(at: now)
    for start in stride(from: 1, through: orders, by: 1000) {
      let numbers = start..<min(start + 1000, orders + 1)
      let rows = try await shop.orders(withKeys: numbers.map { OrderKey(String($0)) })
      try await ledger.transaction { transaction in
        for number in numbers {
          let referral = Referral(
            id: ReferralID("ref_\(number)"), status: .pending, friendEmail: "friend\(number)@example.com",
            createdAt: createdAt(number, of: orders, now), referrerIdentifier: "cust_1")
          _ = try transaction.record(referral, seenAt: now)
        }
        for number in numbers {
          guard let row = rows[OrderKey(String(number))]?.row else { continue }
          _ = try transaction.record(row, seenAt: WeekOldClock().now, isBackfill: !isLive(number))
        }
      }
      try await decide(shop, ledger, until: numbers.upperBound - 1)
    }
    await shop.close()
    let now = SystemClock().now
    let queue = try await ledger.transaction { try $0.nextToSend(at: now, seenUpTo: now, limit: orders) }
    try ledger.close()
    return Dictionary(uniqueKeysWithValues: zip(queue.map(\.orderID), 0...))
  }

  private static func decide(_ shop: ShopOrders, _ ledger: SQLiteLedger, until count: Int) async throws {
    let context = PipelineContext(
      orders: shop, partners: NoPartners(), ledger: ledger, clock: WeekOldClock(), jitter: Jitter(),
      health: ComponentHealth(),
      log: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
    let rules = AttributionRules(
      keys: [.externalSourceID, .email], choose: .first, attributionWindow: .seconds(90 * 86_400),
      waitForReferral: .seconds(14 * 86_400), selfReferral: .review, hold: .zero,
      amounts: AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review))
    try await ledger.decide(until: count, Matching(context, rules: rules))
  }
}

/// The time of a daemon that ran a week ago.
private struct WeekOldClock: HostClock {
  private let base = SystemClock()

  var now: Timestamp { base.now - .seconds(7 * 86_400) }
  var uptime: Duration { base.uptime }

  func sleep(until deadline: Duration) async throws { try await base.sleep(until: deadline) }
}

/// The order in which conversions arrived.
final class ArrivalOrder: Sendable {
  private let arrived = Mutex<[String]>([])

  var ids: [String] { arrived.withLock { $0 } }

  func note(_ request: SandboxRequestRecord) {
    guard request.method == "POST", request.path.hasSuffix("/convert") else { return }
    let body = String(decoding: request.body, as: UTF8.self)
    guard let id = body.firstMatch(of: /"externalTransactionId":"(\d+)"/)?.output.1 else { return }
    arrived.withLock { $0.append(String(id)) }
  }
}
