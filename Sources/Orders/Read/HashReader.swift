import Conversions
import Postgres

/// Reads orders by ranges of their keys, those whose hash changed.
struct HashReader: Sendable {
  /// Keys in a range when it is first cut off; it is cut again once it has half as many more.
  static let keysPerRange = 2000
  /// The most keys that are read at once.
  static let keysMax = keysPerRange + keysPerRange / 2

  let sql: ShopSQL
  let plan: FollowPlan
  let screen: OrderScreen

  func sweep(
    _ piece: SweepPiece, keysMax: Int, _ opened: SourceOpening.Opened, _ transaction: PostgresTransaction
  ) throws -> SweepPage {
    var bounds = KeyBounds(after: piece.range.lower, upTo: piece.range.upper)
    let type = opened.description.key
    let known = piece.isWhole ? nil : piece.range.mark
    let warnings = try piece.range.lower == nil ? nullKeyWarnings(transaction) : []
    // A range without an end may have grown by a whole import: its keys are counted before they are hashed.
    if let known, bounds.upTo != nil, try hash(bounds, type, transaction) == known {
      return SweepPage(orders: [], isWhole: false, mark: known, moment: opened.moment, warnings: warnings)
    }
    let room = min(keysMax, Self.keysMax)
    let found = try keys(bounds, type, limit: room + 1, transaction)
    let size = found.count > room ? min(room, Self.keysPerRange) : room
    let keyPage = KeyPage(Array(found.prefix(size + 1)), size: size)
    var split: SweepPage.Split?
    if let last = keyPage.last, last.text != piece.range.upper {
      bounds.upTo = last.text
      split = SweepPage.Split(at: last.text, mark: nil)
    }
    // A value that can't be read can't be hashed either: such a range is read each time.
    let mark = try hash(bounds, type, transaction)
    if let known, mark == known, split == nil {
      return SweepPage(orders: [], isWhole: false, mark: known, moment: opened.moment, warnings: warnings)
    }
    let reading = RowReader(sql, opened.description, transaction)
    let rows = try reading.orders(keyPage.keys, pageSize: sql.mapping.pageSize)
    let orders = keyPage.keys.compactMap { rows[$0] }
    // Rows without a time or an ID that don't qualify: carts, which may be paid.
    let carts = keyPage.keys.count - orders.count
    return SweepPage(
      orders: orders.map { SeenOrder($0) }, counted: carts > 0 ? [.notQualifying: carts] : [:], isWhole: true,
      placedLatest: carts > 0 ? opened.moment.readAt : placedLatest(orders, opened.moment),
      mark: mark, split: split, moment: opened.moment, warnings: warnings)
  }

  /// No range holds a row without a key, so the first one's reading looks for them.
  private func nullKeyWarnings(_ transaction: PostgresTransaction) throws -> [String] {
    let found = try transaction.attempt { try transaction.query(sql.hasNullKeys).text(0, 0) == "true" }
    guard case .success(true) = found else { return [] }
    return [sql.mapping.nullKeysWarning]
  }

  /// Reads what changed lately. There is no telling what of it was read before, so each look takes in a little of what
  /// the last one saw.
  func recent(
    after position: String?, _ opened: SourceOpening.Opened, _ transaction: PostgresTransaction
  ) throws -> RecentPage {
    let base = opened.recentBase
    let last = position.flatMap { Int64($0) }.map(Timestamp.init(microseconds:)) ?? .init(microseconds: .min)
    let since = max(last - Self.overlap, base - VersionReader.recentSpan)
    let columns = plan.recent.map { $0.condition(since: "$1", zone: "$2") }
    let isZoned = plan.recent.contains { $0.type != .instant }
    let statement = sql.keys(
      opened.description.key, where: ["(\(columns.joined(separator: " OR ")))"], limit: VersionReader.recentMax,
      versions: false)
    let parameters = [PostgresParameter(since.description)] + (isZoned ? [PostgresParameter(sql.mapping.timeZone)] : [])
    let found = try transaction.query(statement, parameters)
    let keys = Set(try (0..<found.count).compactMap { try found.text($0, 0).map { OrderKey($0) } })
    let reading = RowReader(sql, opened.description, transaction)
    let rows = try reading.orders(Array(keys), pageSize: sql.mapping.pageSize)
    return RecentPage(
      orders: rows.values.map { SeenOrder($0) }, position: String(base.microseconds),
      isCut: found.count == VersionReader.recentMax, moment: opened.moment)
  }

  /// The time before the last look that the next one reads again: for transactions that took a little to commit.
  private static let overlap = Duration.seconds(30)

  private func placedLatest(_ rows: [OrderRow], _ moment: SnapshotMoment) -> Timestamp? {
    rows.map { row in
      if case .readable(let order) = row { order.placedAt.latest } else { moment.readAt }
    }.max()
  }

  private func hash(_ bounds: KeyBounds, _ type: KeyType, _ transaction: PostgresTransaction) throws -> String? {
    let found = try transaction.attempt {
      try transaction.query(sql.hash(type, bounds), bounds.parameters.map { PostgresParameter($0) }).text(0, 0)
    }
    switch found {
    case .success(let text): return text
    case .failure(let error) where error.kind == .data: return nil
    case .failure(let error): throw error
    }
  }

  /// Reads keys. If `orders.where` fails for some row's value, keys are taken without it: the rows are read with it,
  /// and only those for which it fails are unreadable.
  private func keys(
    _ bounds: KeyBounds, _ type: KeyType, limit: Int, _ transaction: PostgresTransaction
  ) throws -> [(key: OrderKey, equalsPrevious: Bool)] {
    func find(filtered: Bool) throws -> PostgresRows {
      try transaction.query(
        sql.keys(type, bounds, limit: limit, filtered: filtered), bounds.parameters.map { PostgresParameter($0) })
    }
    let rows: PostgresRows
    switch try transaction.attempt({ try find(filtered: true) }) {
    case .success(let found): rows = found
    case .failure(let error) where error.kind == .data && sql.mapping.condition != nil:
      do { rows = try find(filtered: false) } catch let error as PostgresError {
        throw error.kind == .data ? FailureWording.failure(error, at: sql.mapping.keyExpression.setting) : error
      }
    case .failure(let error) where error.kind == .data || error.kind == .mapping:
      throw FailureWording.failure(error, at: sql.mapping.keyExpression.setting)
    case .failure(let error): throw error
    }
    return try (0..<rows.count).compactMap { row in
      try rows.text(row, 0).map { (key: OrderKey($0), equalsPrevious: try rows.text(row, 1) == "true") }
    }
  }
}
