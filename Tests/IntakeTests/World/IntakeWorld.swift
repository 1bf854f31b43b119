import Conversions
import Ledger
import Logging
import LoopFixtures
import Orders
import Pipeline
import Postgres
import ServiceLifecycle
import TestHosts

/// A shop in PostgreSQL, a ledger in SQLite, and the loops that lie between them, by the host's own clock.
final class IntakeWorld: Sendable {
  let database: TestDatabase
  let orders: ShopOrders
  let source: WatchedSource
  let ledger: SQLiteLedger
  let lines = CapturedLog.Lines()
  let context: PipelineContext
  let settings: Intake.Settings
  let rules: AttributionRules
  private let folder: TemporaryFolder

  init(
    _ database: TestDatabase, _ mapping: OrderMapping, settings: Intake.Settings = .quick,
    rules: AttributionRules = .usual, earlier: IntakeWorld? = nil
  ) throws {
    self.database = database
    self.settings = settings
    self.rules = rules
    folder = try earlier?.folder ?? TemporaryFolder("intake")
    orders = ShopOrders(mapping)
    source = WatchedSource(orders)
    ledger = try earlier?.ledger ?? SQLiteLedger(path: folder.path("ledger.sqlite"))
    let lines = lines
    context = PipelineContext(
      orders: source, partners: NoPartners(), ledger: ledger, clock: SystemClock(), jitter: Jitter(),
      health: ComponentHealth(),
      log: Logger(label: "test") { _ in CapturedLog(lines: lines) })
  }

  /// Runs the loops for as long as `body` does, as one run of the daemon.
  func run<Value>(listening: Bool = false, _ body: () async throws -> Value) async throws -> Value {
    try await CatchUp.begin(ledger)
    let services: [any Service] =
      [
        Intake(context, rules: rules, settings: settings), Matching(context, rules: rules),
        TrivialMirror(context),
      ] + (listening ? [ChangeListener(context)] : [])
    let loops = Task {
      await withTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try? await service.run() } }
      }
    }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    source.release()
    loops.cancel()
    await loops.value
    await orders.close()
    return try result.get()
  }

  /// The same ledger under a daemon that was started anew, perhaps with another configuration.
  func restarted(
    settings: Intake.Settings? = nil, _ change: (inout OrderMapping) -> Void = { _ in }
  ) throws -> IntakeWorld {
    var mapping = orders.mapping
    change(&mapping)
    return try IntakeWorld(database, mapping, settings: settings ?? self.settings, rules: rules, earlier: self)
  }
}

extension Intake.Settings {
  /// Everything is read again several times a second.
  static let quick = Self(
    start: .everything, pollInterval: .milliseconds(50), sweepInterval: .milliseconds(100), duty: 1)
}

extension AttributionRules {
  static let usual = AttributionRules(
    keys: [.externalSourceID, .email], choose: .first, attributionWindow: .seconds(90 * 86_400),
    waitForReferral: .seconds(14 * 86_400), selfReferral: .review, hold: .zero,
    amounts: AmountRules(unit: .major, rounding: .refuse, otherCurrency: .review))

  /// Orders wait for longer than any test's data is old.
  static var patient: AttributionRules {
    var rules = usual
    rules.waitForReferral = .seconds(200 * 365 * 86_400)
    return rules
  }
}
