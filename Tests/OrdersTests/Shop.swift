import Conversions
import Orders
import Postgres
import TestHosts

/// A shop's database with a mapping over it.
struct Shop {
  let database: TestDatabase
  var mapping: OrderMapping

  /// The table that most tests use, without rows.
  static let table = """
    CREATE TABLE orders (id bigint PRIMARY KEY, email text, lead text, total numeric(12,2), currency text, status text,
      created_at timestamptz DEFAULT '2026-10-01 12:00:00.123456+00');
    """

  /// Rows 1 to `count` of that table.
  static func rows(_ count: Int) -> String {
    """
    INSERT INTO orders SELECT i, 'friend' || i || '@example.com', 'lead-' || i, i + 0.5, 'EUR',
      CASE WHEN i % 2 = 0 THEN 'paid' ELSE 'open' END FROM generate_series(1, \(count)) i;
    """
  }

  /// A schema or a database of its own, filled by SQL, with a mapping over the standard table unless changed.
  static func make(
    _ sql: String, encoding: String? = nil, hasOwnDatabase: Bool = false,
    _ change: (inout OrderMapping) -> Void = { _ in }
  ) async throws -> Shop {
    let cluster = try await PostgresCluster.shared()
    let needsDatabase = hasOwnDatabase || encoding != nil
    let database = try await needsDatabase ? cluster.createDatabase(encoding: encoding) : cluster.createSchema()
    try await database.execute("SET client_min_messages = warning;\n" + sql)
    var mapping = OrderMapping(
      connection: database.conninfo, from: "orders",
      columns: .init(
        id: "id", email: "email", externalSourceID: "lead", total: "total", currency: "currency", status: "status",
        placedAt: "created_at"),
      totalUnit: .major, qualifyingStatuses: ["paid"])
    change(&mapping)
    return Shop(database: database, mapping: mapping)
  }

  /// A shop whose table has one column `v` to be mapped, and rows whose keys are 1, 2, 3 ...
  static func column(
    _ type: String, _ values: [String], encoding: String? = nil, _ change: (inout OrderMapping) -> Void = { _ in }
  ) async throws -> Shop {
    let rows = values.enumerated().map { "(\($0 + 1), \($1))" }.joined(separator: ", ")
    return try await make(
      """
      CREATE TABLE orders (id int PRIMARY KEY, v \(type), created_at timestamptz DEFAULT now(), status text DEFAULT 'paid');
      INSERT INTO orders (id, v) VALUES \(rows);
      """, encoding: encoding
    ) { mapping in
      mapping.columns = .init(id: "id", status: "status", placedAt: "created_at")
      change(&mapping)
    }
  }

  func orders(_ limits: TransactionLimits = TransactionLimits()) -> ShopOrders { ShopOrders(mapping, limits: limits) }
}

extension ShopOrders {
  /// The rows with these keys that are shown.
  func rows(withKeys keys: [OrderKey]) async throws -> [OrderKey: OrderRow] {
    try await orders(withKeys: keys).compactMapValues(\.row)
  }

  /// Every order, as a first sweep brings them, sorted by their keys.
  func walk(screen: OrderScreen = .everything) async throws -> [OrderRow] {
    var sweeping = try await Sweeping(self)
    return try await sweeping.rows(whole: true, screen: screen)
  }

  /// A walk's rows by their keys.
  func rowsByKey() async throws -> [String: OrderRow] {
    Dictionary(try await walk().map { ($0.key.text, $0) }) { first, _ in first }
  }
}

extension OrderRow {
  var order: Order? { if case .readable(let order) = self { order } else { nil } }
  var fault: UnreadableOrder? { if case .unreadable(let fault) = self { fault } else { nil } }
}

/// The failure that reading ends in, nil where it does not.
func failure(_ read: () async throws -> Void) async -> OrderSourceFailure? {
  do {
    try await read()
    return nil
  } catch {
    return error as? OrderSourceFailure
  }
}
