import Conversions
import Postgres

/// Reads rows by their keys, and finds the ones that can't be read without letting them stop the others.
struct RowReader {
  let sql: ShopSQL
  let description: TableDescription
  let transaction: PostgresTransaction
  private let decoding: RowDecoder

  init(_ sql: ShopSQL, _ description: TableDescription, _ transaction: PostgresTransaction) {
    self.sql = sql
    self.description = description
    self.transaction = transaction
    decoding = RowDecoder(sql.mapping, description)
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
      guard keys.count > 1 else { return [keys[0]: sql.mapping.repeated(keys[0])] }
    case .failure(let error):
      guard error.kind == .data else { throw error }
      guard keys.count > 1 else { return try alone(keys[0], error) }
    }
    let middle = keys.count / 2
    return try orders(Array(keys[..<middle])).merging(try orders(Array(keys[middle...]))) { first, _ in first }
  }

  /// The rows with these keys, so many in each statement.
  func orders(_ keys: [OrderKey], pageSize: Int) throws -> [OrderKey: OrderRow] {
    var result: [OrderKey: OrderRow] = [:]
    var rest = keys[...]
    while !rest.isEmpty {
      result.merge(try orders(Array(rest.prefix(pageSize)))) { first, _ in first }
      rest = rest.dropFirst(pageSize)
    }
    return result
  }

  /// The rows with these keys by one statement, whose failure costs the transaction; nil where it hit the limit.
  func together(_ keys: [OrderKey]) throws -> [OrderKey: OrderRow]? { try read(keys) }

  /// Those of the keys whose rows are there, whatever `orders.where` says of them. A key that is none of the key's type
  /// makes a statement fail, and is none of them.
  func present(_ keys: [OrderKey]) throws -> Set<OrderKey> {
    guard !keys.isEmpty else { return [] }
    let statement = sql.keys(
      description.key, where: ["\(sql.mapping.keyExpression.enclosed) = \(description.key.any("$1"))"],
      limit: keys.count + 1000, versions: false)
    let found = try transaction.attempt {
      try transaction.query(statement, [PostgresParameter(array: keys.map(\.text))])
    }
    switch found {
    case .success(let rows):
      return Set(try (0..<rows.count).compactMap { try rows.text($0, 0).map { OrderKey($0) } }).intersection(keys)
    case .failure(let error):
      guard error.kind == .data else { throw error }
      guard keys.count > 1 else { return [] }
      let middle = keys.count / 2
      return try present(Array(keys[..<middle])).union(try present(Array(keys[middle...])))
    }
  }

  /// One statement; nil where it hit the limit.
  private func read(_ keys: [OrderKey], guarded: Bool = false) throws -> [OrderKey: OrderRow]? {
    let limit = keys.count + 1000
    var parameters = [PostgresParameter(array: keys.map(\.text))]
    if description.placedAt.needsTimeZone { parameters.append(PostgresParameter(sql.mapping.timeZone)) }
    let rows = try transaction.query(sql.rows(description, limit: limit, guarded: guarded), parameters, format: .binary)
    guard rows.count < limit else { return nil }
    let wanted = Set(keys)
    var result: [OrderKey: OrderRow] = [:]
    for row in 0..<rows.count {
      // Equal in the key's own type is not always the same text: `A` finds `a` where the key is citext.
      guard let key = try decoding.key(rows, row), wanted.contains(key) else { continue }
      guard let order = try decoding.order(rows, row, key: key) else { continue }
      result[key] = result[key] == nil ? order : sql.mapping.repeated(key)
    }
    return result
  }

  /// A key whose statement fails although it asks for nothing else: no order if it is none of the key's type, else an
  /// order where another row was to blame, else unreadable, with the setting that fails for it.
  private func alone(_ key: OrderKey, _ error: PostgresError) throws -> [OrderKey: OrderRow] {
    guard try fault("SELECT (\(description.key.input("$1"))) IS NULL", key) == nil else { return [:] }
    if sql.mapping.condition != nil,
      case .success(let rows?) = try transaction.attempt({ try read([key], guarded: true) })
    {
      return rows
    }
    if try !qualifies(key) { return [:] }
    let (place, cause) = try culprit(key) ?? ("orders.columns.placed_at", error)
    let id = try transaction.attempt {
      let expression = MappedExpression(role: .id, setting: "", sql: sql.mapping.columns.id)
      let rows = try transaction.query(sql.value(of: expression, description), [PostgresParameter(key.text)])
      return rows.count > 0 ? try rows.text(0, 0).flatMap { TransactionID($0)?.text } : nil
    }
    let detail = "\(place): \(FailureWording.detail(cause))"
    return [
      key: .unreadable(
        UnreadableOrder(key: key, transactionID: (try? id.get()) ?? nil, reason: .unreadable, detail: detail))
    ]
  }

  /// Says if the row with a key qualifies, asked of nothing else; of one for which that fails a person must judge.
  private func qualifies(_ key: OrderKey) throws -> Bool {
    guard let expression = sql.mapping.selected.first(where: { [.status, .qualifies].contains($0.role) }) else {
      return true
    }
    let found = try transaction.attempt {
      let rows = try transaction.query(sql.value(of: expression, description), [PostgresParameter(key.text)])
      return rows.count > 0 ? try rows.text(0, 0) : nil
    }
    guard case .success(let value) = found else { return true }
    return expression.role == .qualifies ? value != "f" : value.map(sql.mapping.qualifies) ?? false
  }

  /// The setting that fails for a key's row; nil where none does by itself, which leaves the conversion of `placed_at`.
  private func culprit(_ key: OrderKey) throws -> (setting: String, error: PostgresError)? {
    if let error = try fault(sql.condition(description), key) { return ("orders.where", error) }
    for expression in sql.mapping.selected {
      if let error = try fault(sql.value(of: expression, description), key) { return (expression.setting, error) }
    }
    return nil
  }

  /// The error by which a statement about one key fails for its data; nil where it doesn't.
  private func fault(_ statement: String, _ key: OrderKey) throws -> PostgresError? {
    let outcome = try transaction.attempt {
      let rows = try transaction.query(statement, [PostgresParameter(key.text)])
      // Bytes that are no UTF-8 show when they are taken.
      if rows.count > 0 { _ = try rows.text(0, 0) }
    }
    guard case .failure(let error) = outcome else { return nil }
    guard error.kind == .data else { throw error }
    return error
  }
}

extension OrderMapping {
  /// The row that stands for a key with several rows: the same each time it is read, however many they are.
  func repeated(_ key: OrderKey) -> OrderRow {
    let id = keyExpression.sql == columns.id ? TransactionID(key.text)?.text : nil
    return .unreadable(
      UnreadableOrder(
        key: key, transactionID: id, reason: .idRepeated,
        detail: "several rows have this key: does a join in orders.from double them?"))
  }
}
