import Conversions
import Postgres

/// Sorts the rows of one statement: most rows of a shop with years of orders can be ruled out by a few bytes, without a
/// `String` of theirs ever being made.
struct RowScreen: Sendable {
  let screen: OrderScreen
  let decoding: RowDecoder
  private let mapping: OrderMapping
  private let statuses: [[UInt8]]
  private let covered: CoveredVersions
  private let readAt: Timestamp

  /// The rows once they are sorted.
  struct Sorted {
    var orders: [SeenOrder] = []
    var counted: [Outcome: Int] = [:]
    var placedLatest: Timestamp?
    /// The latest of the times before the start of the orders.
    var passedOver: PlacedAt?
    var hasNullKeys = false
    /// True if there may be more.
    var isCut = false
  }

  init(_ screen: OrderScreen, _ decoding: RowDecoder, _ moment: SnapshotMoment) {
    self.screen = screen
    covered = CoveredVersions(screen, moment)
    readAt = moment.readAt
    self.decoding = decoding
    mapping = decoding.mapping
    statuses = mapping.qualifyingStatuses.map { Array($0.utf8) }
  }

  /// - Throws: `PostgresError` of kind `data` for bytes that are no text.
  func sorted(_ rows: PostgresRows) throws -> Sorted {
    var result = Sorted()
    var places: [OrderKey: Int] = [:]
    var (qualified, unqualified) = (0, 0)
    var passedOver: (row: Int, placed: Timestamp)?
    for row in 0..<rows.count {
      let placed = placedLatest(rows, row)
      if let placed { result.placedLatest = max(result.placedLatest ?? placed, placed) }
      let isCovered = isCovered(rows, row)
      // A row of unknown age keeps its range among those that matter: a cart may be paid.
      if placed == nil { result.placedLatest = readAt }
      switch ruling(rows, row, placed: placed, isCovered: isCovered) {
      case .noPart:
        if let placed, passedOver.map({ placed > $0.placed }) ?? true { passedOver = (row, placed) }
      case .counted(let qualifies): if qualifies { qualified += 1 } else { unqualified += 1 }
      case .close:
        guard let key = try decoding.key(rows, row) else {
          result.hasNullKeys = true
          continue
        }
        guard let found = try decoding.order(rows, row, key: key) else {
          unqualified += 1
          continue
        }
        let order = SeenOrder(found, isCovered: isCovered)
        if let place = places[key] {
          result.orders[place] = SeenOrder(mapping.repeated(key), isCovered: false)
        } else {
          places[key] = result.orders.count
          result.orders.append(order)
        }
      }
    }
    result.passedOver = try passedOver.flatMap { try decoding.time(rows, $0.row) }
    if qualified > 0 { result.counted[.noReferral] = qualified }
    if unqualified > 0 { result.counted[.notQualifying] = unqualified }
    return result
  }

  private enum Ruling {
    /// Placed before orders take part.
    case noPart
    /// It can't matter any more.
    case counted(qualifies: Bool)
    /// To be looked at closely.
    case close
  }

  private func ruling(_ rows: PostgresRows, _ row: Int, placed: Timestamp?, isCovered: Bool) -> Ruling {
    guard let placed else { return .close }
    if let from = screen.takesOrdersFrom, placed < from { return .noPart }
    guard isCovered, placed < screen.oldBefore, isPlain(rows, row) else { return .close }
    let isHeld = rows.withBytes(row, 0) { screen.known.mayHoldOrder(KeyHash.of($0)) } ?? true
    guard !isHeld, !mayMatch(rows, row) else { return .close }
    return .counted(qualifies: qualifies(rows, row))
  }

  /// The latest time that `placed_at` may mean; nil for none, or one that no order can have.
  private func placedLatest(_ rows: PostgresRows, _ row: Int) -> Timestamp? {
    guard let late = decoding.late(rows, row) else { return nil }
    let (time, overflow) = late.addingReportingOverflow(RowDecoder.postgresEpoch)
    // Whole seconds are the coarsest granule but a day's, of which this is the end already.
    return overflow ? nil : Timestamp(microseconds: time) + .seconds(1)
  }

  private func isCovered(_ rows: PostgresRows, _ row: Int) -> Bool {
    covered.contains(rows.integer(row, decoding.versionColumn))
  }

  /// True if the row has an ID that a report could have: any other goes to review, whatever its age.
  private func isPlain(_ rows: PostgresRows, _ row: Int) -> Bool {
    rows.withBytes(row, decoding.idColumn) { id in
      guard id.count > 0, id.count <= TransactionID.bytesMax else { return false }
      for index in id.indices where id[index] < 0x20 || id[index] >= 0x7f { return false }
      return true
    } ?? false
  }

  private func mayMatch(_ rows: PostgresRows, _ row: Int) -> Bool {
    func mayHold(_ column: Int?, _ hash: (Span<UInt8>) -> UInt64?) -> Bool {
      guard let column else { return false }
      return rows.withBytes(row, column) { bytes in
        if bytes.count == 0 { return false }
        return hash(bytes).map(screen.known.mayHoldReferral) ?? true
      } ?? false
    }
    return mayHold(decoding.columns.email, { KeyHash.ofEmail($0) })
      || mayHold(decoding.columns.externalSourceID, { KeyHash.ofExternalSourceID($0) })
  }

  private func qualifies(_ rows: PostgresRows, _ row: Int) -> Bool {
    if let column = decoding.columns.qualifies { return rows.integer(row, column) == 1 }
    guard let column = decoding.columns.status else { return false }
    return rows.withBytes(row, column) { status in statuses.contains { Self.equal($0, status) } } ?? false
  }

  private static func equal(_ left: [UInt8], _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in right.indices where left[index] != right[index] { return false }
    return true
  }
}
