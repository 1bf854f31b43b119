import Conversions

/// One expression of the mapping, with the name by which the operator finds it in the configuration.
struct MappedExpression: Hashable, Sendable {
  /// The use of an expression.
  enum Role: Hashable, Sendable {
    case key, id, email, externalSourceID, customerID, total, currency, status, placedAt, qualifies
    case metadata(Int)
    case updatedAt(Int)
  }

  var role: Role
  /// Such as `orders.columns.total`.
  var setting: String
  var sql: String

  /// The expression in parentheses. The line break ends a `--` comment, should the expression end in one.
  var enclosed: String { "(\(sql)\n)" }
}

extension OrderMapping {
  /// The key's expression.
  var keyExpression: MappedExpression {
    MappedExpression(role: .key, setting: key == nil ? "orders.columns.id" : "orders.key", sql: key ?? columns.id)
  }

  /// The expressions whose values travel in a cell each, in this order: not `placed_at`, which has cells of its own
  /// behind them, and not an ID that is the key, byte for byte.
  func cells(_ description: TableDescription) -> [MappedExpression.Role] {
    let idIsKey = keyExpression.sql == columns.id && !description.key.isEscaped
    return selected.map(\.role).filter { $0 != .placedAt && !($0 == .id && idIsKey) }
  }

  /// The expressions that are selected of each order, the key first.
  var selected: [MappedExpression] {
    let optional: [(MappedExpression.Role, String, String?)] = [
      (.email, "orders.columns.email", columns.email),
      (.externalSourceID, "orders.columns.external_source_id", columns.externalSourceID),
      (.customerID, "orders.columns.customer_id", columns.customerID),
      (.total, "orders.columns.total", columns.total),
      (.currency, "orders.columns.currency", columns.currency),
      (.status, "orders.columns.status", columns.status),
      (.qualifies, "orders.qualifies", qualifies),
    ]
    let required = [
      keyExpression, MappedExpression(role: .id, setting: "orders.columns.id", sql: columns.id),
      MappedExpression(role: .placedAt, setting: "orders.columns.placed_at", sql: columns.placedAt),
    ]
    return required
      + optional.compactMap { role, setting, sql in
        sql.map { MappedExpression(role: role, setting: setting, sql: $0) }
      }
      + metadata.enumerated().map { index, entry in
        MappedExpression(role: .metadata(index), setting: "reporting.metadata.\(entry.name)", sql: entry.expression)
      }
  }

  /// Everything that has to fit the table.
  var described: [MappedExpression] {
    selected
      + columns.updatedAt.enumerated().map { index, sql in
        MappedExpression(role: .updatedAt(index), setting: "orders.columns.updated_at", sql: sql)
      }
  }
}
