import Conversions
import Postgres

/// Reads rows by their keys, and finds the ones that can't be read without letting them stop the others.
struct RowReading {
  let sql: ShopSQL
  let description: TableDescription
  let transaction: PostgresTransaction
  private let decoding: RowDecoding

  init(_ sql: ShopSQL, _ description: TableDescription, _ transaction: PostgresTransaction) {
    self.sql = sql
    self.description = description
    self.transaction = transaction
    decoding = RowDecoding(sql.mapping, description.placedAt)
  }

  /// The rows with these keys; a key that is missing is no order.
  ///
  /// A statement that fails for one row's value is tried again on either half of the keys, behind savepoints.
  func orders(_ keys: [OrderKey]) throws -> [OrderKey: OrderRow] {
    guard !keys.isEmpty else { return [:] }
    switch try transaction.attempt({ try read(keys) }) {
    case .success(let rows?): return rows
    case .success(nil):
      // More rows than a mapping without repetitions has: halve until it is known whose they are.
      guard keys.count > 1 else { return [keys[0]: Self.repeated(keys[0], nil)] }
    case .failure(let error):
      guard error.kind == .data else { throw error }
      guard keys.count > 1 else { return try unreadable(keys[0], error) }
    }
    let middle = keys.count / 2
    return try orders(Array(keys[..<middle])).merging(try orders(Array(keys[middle...]))) { first, _ in first }
  }

  /// What is said of a key with several rows.
  static func repeated(_ key: OrderKey, _ transactionID: String?) -> OrderRow {
    .unreadable(
      UnreadableOrder(
        key: key, transactionID: transactionID, reason: .idRepeated,
        detail: "several rows have this key: does a join in orders.from double them?"))
  }

  /// One statement; nil where it hit the limit.
  private func read(_ keys: [OrderKey]) throws -> [OrderKey: OrderRow]? {
    let limit = keys.count + 1000
    var parameters = [PostgresParameter(array: keys.map(\.text))]
    if description.placedAt.needsTimeZone { parameters.append(PostgresParameter(sql.mapping.timeZone)) }
    let rows = try transaction.query(sql.rows(description, limit: limit), parameters)
    guard rows.count < limit else { return nil }
    let wanted = Set(keys)
    var result: [OrderKey: OrderRow] = [:]
    for row in 0..<rows.count {
      // Equal in the key's own type is not always the same text: `A` finds `a` where the key is citext.
      guard let key = try decoding.key(rows, row), wanted.contains(key) else { continue }
      let order = try decoding.order(rows, row, key: key)
      if let other = result[key] {
        let ids = (other.transactionID, order.transactionID)
        result[key] = Self.repeated(key, ids.0 == ids.1 ? ids.0 : nil)
      } else {
        result[key] = order
      }
    }
    return result
  }

  /// A row that fails alone, with the setting that fails for it. A key that is none of its type is no order.
  private func unreadable(_ key: OrderKey, _ error: PostgresError) throws -> [OrderKey: OrderRow] {
    let parameter = PostgresParameter(key.text)
    let cast = try transaction.attempt {
      try transaction.query("SELECT (\(description.key.input("$1"))) IS NULL", [parameter])
    }
    guard case .success = cast else { return [:] }
    var id: String?
    var failing: (setting: String, error: PostgresError)?
    for expression in sql.mapping.selected where failing == nil || expression.role == .id {
      let value = try transaction.attempt {
        let rows = try transaction.query(sql.value(of: expression, description), [parameter])
        return rows.count > 0 ? try rows.text(0, 0) : nil
      }
      switch value {
      case .success(let text): if expression.role == .id { id = text.flatMap { TransactionID($0)?.text } }
      case .failure(let error):
        guard error.kind == .data else { throw error }
        failing = failing ?? (expression.setting, error)
      }
    }
    let place = failing.map { "\($0.setting): " } ?? ""
    let detail = place + FailureWording.detail(failing?.error ?? error)
    return [key: .unreadable(UnreadableOrder(key: key, transactionID: id, reason: .unreadable, detail: detail))]
  }
}

extension OrderRow {
  fileprivate var transactionID: String? {
    switch self {
    case .readable(let order): order.transactionID.text
    case .unreadable(let order): order.transactionID
    }
  }
}
