import Conversions
import Ledger
import LoopFixtures
import Orders
import Pipeline
import Postgres
import TestHosts
import Testing

extension IntakeWorld {
  /// The table that most tests use.
  static let table = """
    CREATE TABLE orders (id bigserial PRIMARY KEY, email text, total numeric(12,2) DEFAULT 10, status text DEFAULT 'paid',
      created_at timestamptz DEFAULT clock_timestamp(), updated_at timestamptz);
    """

  /// A world over a database of its own, filled by SQL; on the shared cluster unless another is given.
  static func make(
    _ sql: String = table, cluster: PostgresCluster? = nil, encoding: String? = nil,
    settings: Intake.Settings = .quick, rules: AttributionRules = .usual,
    _ change: (inout OrderMapping) -> Void = { _ in }
  ) async throws -> IntakeWorld {
    let own = if let cluster { cluster } else { try await PostgresCluster.shared() }
    let database = try await own.createDatabase(encoding: encoding)
    try await database.execute("SET client_min_messages = warning;\n" + sql)
    var mapping = OrderMapping(
      connection: database.conninfo, from: "orders",
      columns: .init(
        id: "id", email: "email", total: "total", currency: "'EUR'", status: "status", placedAt: "created_at"),
      totalUnit: .major, qualifyingStatuses: ["paid"])
    change(&mapping)
    return try IntakeWorld(database, mapping, settings: settings, rules: rules)
  }

  @discardableResult
  func sql(_ text: String) async throws -> String { try await database.execute(text) }

  /// A session of its own, for transactions that stay open.
  func session() async throws -> PostgresConnection { try await PostgresConnection.connect(to: database.conninfo) }

  /// The orders of the ledger, by their keys.
  func held() async throws -> [String: LedgerOrder] {
    let all = try await ledger.transaction {
      try $0.entries(EntryFilter(outcomes: Outcome.allCases, limit: 1_000_000))
    }
    return Dictionary(all.map { ($0.row.key.text, $0) }) { first, _ in first }
  }

  func order(_ key: String) async throws -> LedgerOrder? { try await held()[key] }

  func keys() async throws -> Set<String> { Set(try await held().keys) }

  func progress() async throws -> IntakeProgress { try await ledger.transaction { try $0.intakeProgress() } }

  func ranges() async throws -> [SweepRange] { try await ledger.transaction { try $0.ranges() } }

  /// Counts the orders of each outcome, those included that left nothing but a count.
  func counts() async throws -> [Outcome: Int] {
    let counts = try await ledger.transaction { try $0.outcomeCounts() }
    return Dictionary(uniqueKeysWithValues: counts.map { ($0.outcome, $0.count) })
  }

  /// Counts the orders that were taken in, whatever became of them.
  func total() async throws -> Int { try await counts().values.reduce(0, +) }

  /// Expects a condition to come to hold.
  func reaches(
    within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
  ) async throws {
    if try await eventually(within: limit, every: .milliseconds(25), condition) { return }
    let said = lines.all.suffix(8).map { "\($0.event ?? "-"): \($0.message)" }
    Issue.record(
      "not within \(limit); ledger: \(try await keys().sorted().prefix(20)); log: \(said)",
      sourceLocation: sourceLocation)
  }

  /// Expects the ledger to come to hold just these orders.
  func holds(
    _ expected: Set<String>, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await reaches(within: limit, sourceLocation: sourceLocation) { try await keys() == expected }
  }

  /// Waits until every range was swept so many times more, each sweep begun after this call.
  func sweeps(_ count: Int = 2, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let before = source.sweptCount
    try await reaches(sourceLocation: sourceLocation) {
      let ranges = max(1, try await ranges().count)
      return source.sweptCount > before + count * ranges
    }
  }

  /// Waits until the first walk is over.
  func catchesUp(within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation) async throws
  {
    try await reaches(within: limit, sourceLocation: sourceLocation) { try await progress().caughtUpAt != nil }
  }
}
