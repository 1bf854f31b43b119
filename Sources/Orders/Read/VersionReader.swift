import Conversions
import Postgres

/// Reads orders by their row versions: ranges of the table's blocks, and recent changes.
struct VersionReader: Sendable {
  /// The most orders that one look for recent changes takes; a sweep brings the rest.
  static let recentMax = 1000
  /// The time that recent goes back.
  static let recentSpan = Duration.seconds(900)

  let sql: ShopSQL
  let plan: FollowPlan
  let screen: OrderScreen
  /// True once a value has made a whole statement fail: rows are then found by keys alone, and bad ones singled out.
  let isCareful: Bool

  /// Reads blocks of a range, at most so many.
  func sweep(
    _ piece: SweepPiece, blocksMax: Int64, _ opened: SourceOpening.Opened, _ transaction: PostgresTransaction
  ) throws -> FetchedSweep {
    let extent = Extent(piece, plan: plan, blocks: opened.blocks, blocksMax: blocksMax)
    var conditions = extent.conditions
    if !piece.isWhole, let mark = piece.range.mark.flatMap({ UInt64($0) }),
      let changed = XIDRange(from: mark, to: opened.moment.end).condition
    {
      conditions.append(changed)
    }
    let zone = opened.description.placedAt.needsTimeZone ? [PostgresParameter(sql.mapping.timeZone)] : []
    let page = SweepPage(
      orders: [], isWhole: piece.isWhole || piece.range.mark == nil, next: extent.next,
      mark: String(opened.moment.horizon), split: extent.split, moment: opened.moment)
    if isDirect {
      let rows = try query(conditions, zone, limit: nil, opened, transaction)
      return FetchedSweep(page, rows, screening(opened), sql.mapping)
    }
    let found = try readByKeys(conditions, [], limit: nil, opened, transaction)
    return FetchedSweep(page, found, sql.mapping)
  }

  /// Reads what changed lately and since the last look.
  func recent(
    after position: String?, _ opened: SourceOpening.Opened, _ transaction: PostgresTransaction
  ) throws -> RecentPage {
    // The statement that reads rows names the zone first.
    let isZoned = plan.recent.contains { $0.type != .instant }
    let (time, zone) = isDirect ? ("$2", "$1") : ("$1", "$2")
    let columns = plan.recent.map { $0.condition(since: time, zone: zone) }
    var conditions = ["(\(columns.joined(separator: " OR ")))"]
    if let horizon = position.flatMap({ UInt64($0) }),
      let changed = XIDRange(from: horizon, to: opened.moment.end).condition
    {
      conditions.append(changed)
    }
    let since = PostgresParameter((opened.recentBase - Self.recentSpan).description)
    let zoneName = PostgresParameter(sql.mapping.timeZone)
    if isDirect, !isZoned, !opened.description.placedAt.needsTimeZone {
      // A parameter that is not named has no type: this keeps `$1` named.
      conditions.append("$1::text IS NOT NULL")
    }
    let found =
      isDirect
      ? try sorted(conditions, [zoneName, since], limit: Self.recentMax, opened, transaction)
      : try readByKeys(
        conditions, isZoned ? [since, zoneName] : [since], limit: Self.recentMax, opened, transaction)
    var page = RecentPage(
      orders: found.orders, position: String(opened.moment.horizon), isCut: found.isCut, moment: opened.moment)
    page.passedOver = found.passedOver
    return page
  }

  /// True if rows are read as they are found.
  private var isDirect: Bool { !isCareful && plan.table?.hasUniqueKey == true }

  private func query(
    _ conditions: [String], _ parameters: [PostgresParameter], limit: Int?, _ opened: SourceOpening.Opened,
    _ transaction: PostgresTransaction
  ) throws -> PostgresRows {
    try transaction.query(
      sql.rows(opened.description, where: conditions, limit: limit), parameters, format: .binary)
  }

  private func screening(_ opened: SourceOpening.Opened) -> RowScreen {
    RowScreen(screen, RowDecoder(sql.mapping, opened.description), opened.moment)
  }

  private func sorted(
    _ conditions: [String], _ parameters: [PostgresParameter], limit: Int, _ opened: SourceOpening.Opened,
    _ transaction: PostgresTransaction
  ) throws -> RowScreen.Sorted {
    let rows = try query(conditions, parameters, limit: limit, opened, transaction)
    var sorted = try screening(opened).sorted(rows)
    sorted.isCut = limit == rows.count
    return sorted
  }

  /// Finds keys without looking at anything else, and reads the rows behind them.
  private func readByKeys(
    _ conditions: [String], _ parameters: [PostgresParameter], limit: Int?, _ opened: SourceOpening.Opened,
    _ transaction: PostgresTransaction
  ) throws -> RowScreen.Sorted {
    let statement = sql.keys(opened.description.key, where: conditions, limit: limit, versions: true)
    let rows: PostgresRows
    do {
      rows = try transaction.query(statement, parameters, format: .binary)
    } catch let error as PostgresError where error.kind == .data {
      throw FailureWording.failure(error, at: sql.mapping.keyExpression.setting)
    }
    let versions = CoveredVersions(screen, opened.moment)
    var covered: [OrderKey: Bool] = [:]
    var found = RowScreen.Sorted(isCut: limit == rows.count)
    for row in 0..<rows.count {
      guard let key = try rows.text(row, 0).map({ OrderKey($0) }) else {
        found.hasNullKeys = true
        continue
      }
      covered[key] = versions.contains(rows.integer(row, 1)) && covered[key] ?? true
    }
    let reading = RowReader(sql, opened.description, transaction)
    for (key, row) in try reading.orders(Array(covered.keys), pageSize: sql.mapping.pageSize) {
      found.orders.append(SeenOrder(row, isCovered: covered[key] ?? false))
      if case .readable(let order) = row {
        found.placedLatest = max(found.placedLatest ?? order.placedAt.latest, order.placedAt.latest)
      }
    }
    // A row of unknown age keeps its range among those that matter.
    if found.orders.contains(where: { if case .unreadable = $0.row { true } else { false } }) {
      found.placedLatest = opened.moment.readAt
    }
    return found
  }
}

/// The blocks that one read takes of a range.
struct Extent: Hashable, Sendable {
  let first: Int64
  /// The block before which it ends; nil for the end of the table, wherever that is when the rows are read.
  let end: Int64?
  /// The block at which the next piece of the range begins.
  let next: String?
  let split: SweepPage.Split?

  init(_ piece: SweepPiece, plan: FollowPlan, blocks: Int64, blocksMax: Int64) {
    let lower = piece.range.lower.flatMap { Int64($0) } ?? 0
    var rangeEnd = piece.range.upper.flatMap { Int64($0) }
    var split: SweepPage.Split?
    if rangeEnd == nil, blocks > lower + plan.blocksPerRange {
      rangeEnd = lower + plan.blocksPerRange
      // The rest keeps the mark: all that was behind it was read when this mark was taken, as one range with this.
      split = SweepPage.Split(at: String(lower + plan.blocksPerRange), mark: piece.range.mark)
    }
    first = piece.from.flatMap { Int64($0) } ?? lower
    let pieceEnd = first + max(1, blocksMax)
    if let rangeEnd {
      end = min(pieceEnd, rangeEnd)
    } else {
      end = pieceEnd < blocks ? pieceEnd : nil
    }
    next = end == rangeEnd ? nil : end.map(String.init)
    self.split = split
  }

  /// TIDs are numbers of ours, which the planner needs to see for a scan of their range (PostgreSQL's source,
  /// TidRangePath).
  var conditions: [String] {
    (first > 0 ? ["ctid >= '(\(first),0)'::tid"] : []) + (end.map { ["ctid < '(\($0),0)'::tid"] } ?? [])
  }
}
