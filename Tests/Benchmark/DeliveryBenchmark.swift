import ArgumentParser
import Conversions
import Foundation
import Ledger
import Logging
import Orders
import PartnersAPI
import Pipeline
import TestHosts

/// Measures the pace at which a queue is drained without limits.
struct DeliveryBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delivery", abstract: "Draining the queue without limits, beside a serial libcurl loop.",
    discussion: """
      Both report to the same small server on this host. The loop sends one report after the other over one connection
      and commits each answer by itself. conversiond reads each order again from the shop, freezes and marks it durably
      before it is sent, and stores what came of it durably after. The two take turns.
      """)

  @Option(help: "Orders that are reported each time.") var orders = 20_000
  @Option(help: "Runs of each of the two.") var runs = 3
  @Option(help: "The ledgers' folder, on the disk to be measured.") var folder = "/var/tmp"

  func run() async throws {
    let cluster = try await PostgresCluster.start()
    let shop = try await cluster.createDatabase()
    try await shop.execute(Self.shop(orders: orders))
    let stub = try APIStub()
    var rates: (serial: [Double], ours: [Double]) = ([], [])
    for _ in 0..<runs {
      let home = try TemporaryFolder("benchmark", in: folder)
      // Ours first: what its ledger asks of SQLite for all of a process has to be asked before SQLite's first use.
      rates.ours.append(try await drain(stub, shop.conninfo, home))
      rates.serial.append(try serial(stub, home))
      say("serial loop \(Int(rates.serial.last ?? 0)) reports/s, conversiond \(Int(rates.ours.last ?? 0)) reports/s")
    }
    let (serial, ours) = (rates.serial.median, rates.ours.median)
    say(
      "median: serial loop \(Int(serial)) reports/s, conversiond \(Int(ours)) reports/s, \((ours / serial).rounded3) times the loop's rate"
    )
    stub.stop()
    try await cluster.stop()
  }

  private static func shop(orders: Int) -> String {
    """
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_email text, status text NOT NULL, total_cents bigint,
      currency text, created_at timestamptz NOT NULL, updated_at timestamptz);
    INSERT INTO orders SELECT g, 'friend' || g || '@example.com', 'paid', 1000 + g % 90000, 'EUR',
      now() - interval '1 hour', now() FROM generate_series(1, \(orders)) g;
    VACUUM ANALYZE orders;
    """
  }

  private func serial(_ stub: APIStub, _ home: TemporaryFolder) throws -> Double {
    let loop = try SerialLoop(ledger: home.path("serial.sqlite"), orders: orders)
    let began = ContinuousClock.now
    for number in 1...orders { try loop.report(number, to: stub.baseURL) }
    return Double(orders) / (ContinuousClock.now - began).inSeconds
  }

  private func drain(_ stub: APIStub, _ conninfo: String, _ home: TemporaryFolder) async throws -> Double {
    let ledger = try SQLiteLedger(path: home.path("ledger.sqlite"))
    let mapping = OrderMapping(
      connection: conninfo, from: "orders",
      columns: .init(
        id: "id", email: "customer_email", total: "total_cents", currency: "currency", status: "status",
        placedAt: "created_at"),
      qualifyingStatuses: ["paid"])
    let shop = ShopOrders(mapping)
    let context = try context(stub, shop, ledger, home)
    let rules = AttributionRules(
      keys: [.email], choose: .first, attributionWindow: .seconds(90 * 86_400),
      waitForReferral: .seconds(14 * 86_400), selfReferral: .review, hold: .zero,
      amounts: AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review))
    try await queue(ledger, shop, context, rules)
    say("queued")
    let delivery = Delivery(context, rules: rules, settings: Delivery.Settings(giveUpAfter: .seconds(86_400)))
    let before = stub.answered
    let usage = try ProcessUsage(getpid())
    let began = ContinuousClock.now
    let loop = Task { try await delivery.run() }
    while stub.answered - before < orders { try await Task.sleep(for: .milliseconds(5)) }
    // Durable before it counts.
    let open = EntryFilter(outcomes: [.queued, .sending], limit: 1)
    while try await !ledger.transaction({ try $0.entries(open) }).isEmpty {
      try await Task.sleep(for: .milliseconds(1))
    }
    let seconds = (ContinuousClock.now - began).inSeconds
    let outcomes = try await ledger.transaction { try $0.outcomes(since: Timestamp(milliseconds: 0)) }
    guard outcomes == [.reported: orders] else { throw ValidationError("not all were reported: \(outcomes)") }
    let ticks = try ProcessUsage(getpid()).cpuTicks - usage.cpuTicks
    say("\(ticks * 10_000 / orders) us of CPU a report, the small server's among them")
    loop.cancel()
    try await loop.value
    await shop.close()
    try ledger.close()
    return Double(orders) / seconds
  }

  private func context(
    _ stub: APIStub, _ shop: ShopOrders, _ ledger: SQLiteLedger, _ home: TemporaryFolder
  ) throws -> PipelineContext {
    guard let url = try? PartnersBaseURL(stub.baseURL), let key = APIKey("oft_0123456789abcdef0123456789abcdef") else {
      throw ValidationError("no address")
    }
    let pacer = WritePacer(
      path: home.path("pacer"), limits: WriteLimits(writes: .unlimited, conversions: .unlimited))
    return PipelineContext(
      orders: shop, partners: PartnersClient(baseURL: url, apiKey: key, version: "benchmark", pacer: pacer),
      ledger: ledger, clock: SystemClock(), jitter: Jitter(), health: ComponentHealth(),
      log: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Queues every order of the shop, as intake, mirror and matching would.
  private func queue(
    _ ledger: SQLiteLedger, _ shop: ShopOrders, _ context: PipelineContext, _ rules: AttributionRules
  ) async throws {
    let now = context.clock.now
    for start in stride(from: 1, through: orders, by: 1000) {
      let numbers = start..<min(start + 1000, orders + 1)
      let rows = try await shop.orders(withKeys: numbers.map { OrderKey(String($0)) })
      try await ledger.transaction { transaction in
        for number in numbers {
          let referral = Referral(
            id: ReferralID("ref_\(number)"), status: .pending, friendEmail: "friend\(number)@example.com",
            createdAt: now - .seconds(86_400))
          _ = try transaction.record(referral, seenAt: now)
        }
        for row in rows.values.compactMap(\.row) { _ = try transaction.record(row, seenAt: now, isBackfill: false) }
      }
    }
    try await ledger.endCatchUp(at: now)
    try await ledger.decide(until: orders, Matching(context, rules: rules))
  }
}
