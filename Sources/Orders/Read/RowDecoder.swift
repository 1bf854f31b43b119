import Conversions
import Postgres

/// Turns the cells of `ShopSQL.rows` into orders.
struct RowDecoder {
  let mapping: OrderMapping
  let placedAt: PlacedAtType
  private let isTotalText: Bool
  /// The place of each mapped value in a row; nil for what is not mapped.
  struct Columns {
    var email, externalSourceID, customerID, total, currency, status, qualifies: Int?
    var metadata: [Int]
  }

  /// The order ID's column: the key's, where the two are the same.
  let idColumn: Int
  let columns: Columns
  /// The places of the cells of `PlacedAtSQL`.
  private let placed: (isThere: Int, early: Int, late: Int)
  /// The row version's column, where it was asked for.
  let versionColumn: Int

  init(_ mapping: OrderMapping, _ description: TableDescription) {
    self.mapping = mapping
    placedAt = description.placedAt
    isTotalText = description.isTotalText
    let roles = mapping.cells(description)
    func column(_ role: MappedExpression.Role) -> Int? { roles.firstIndex(of: role) }
    columns = Columns(
      email: column(.email), externalSourceID: column(.externalSourceID), customerID: column(.customerID),
      total: column(.total), currency: column(.currency), status: column(.status), qualifies: column(.qualifies),
      metadata: mapping.metadata.indices.compactMap { column(.metadata($0)) })
    idColumn = column(.id) ?? 0
    let first = roles.count
    placed = placedAt.kind == .instant ? (first, first, first) : (first, first + 1, first + 2)
    versionColumn = placed.late + 1
  }

  /// The latest time that `placed_at` may mean in microseconds since PostgreSQL's zero, as it came; nil for none, or
  /// one that no order can have.
  func late(_ rows: PostgresRows, _ row: Int) -> Int64? {
    guard let late = rows.integer(row, placed.late), late != .max, late != .min else { return nil }
    return late
  }

  /// The time at which a row was placed; nil for none, or one that no order can have.
  func time(_ rows: PostgresRows, _ row: Int) throws -> PlacedAt? {
    if case .success(let placed) = try placedAt(rows, row) { placed } else { nil }
  }

  /// The row's key.
  func key(_ rows: PostgresRows, _ row: Int) throws -> OrderKey? {
    try rows.text(row, 0).map { OrderKey($0) }
  }

  /// The row as an order, or why it is none; nil for one that doesn't qualify and lacks its ID or its time: a cart.
  func order(_ rows: PostgresRows, _ row: Int, key: OrderKey) throws -> OrderRow? {
    func text(_ column: Int?) throws -> String? { try column.flatMap { try rows.text(row, $0) } }
    let rawID = try text(idColumn)
    func unreadable(_ detail: String, _ reason: ReviewReason = .unreadable) -> OrderRow {
      let id = rawID.flatMap { TransactionID($0)?.text }
      return .unreadable(UnreadableOrder(key: key, transactionID: id, reason: reason, detail: detail))
    }
    let status = try text(columns.status)
    let qualifies = qualifies(rows, row, status)
    guard let transactionID = rawID.flatMap({ TransactionID($0) }) else {
      return qualifies ? unreadable(Self.fault(ofID: rawID)) : nil
    }
    let placed: PlacedAt
    switch try placedAt(rows, row) {
    case .success(let span): placed = span
    case .failure(let fault): return qualifies ? unreadable(fault.detail) : nil
    }
    var metadata = try metadata(rows, row)
    if let size = metadata?.utf8.count, size > ConversionReport.metadataBytesMax {
      guard !qualifies else {
        return unreadable("the metadata is \(size) bytes, and the API takes 4096", .metadataTooLarge)
      }
      metadata = nil
    }
    let emailText = try text(columns.email)
    var order = Order(
      key: key, transactionID: transactionID, email: emailText.flatMap { EmailAddress($0) },
      externalSourceID: try text(columns.externalSourceID).flatMap { ExternalSourceID($0) },
      customerID: try text(columns.customerID).flatMap { $0.isEmpty ? nil : $0 },
      total: total(try text(columns.total), try text(columns.currency)), status: status, qualifies: qualifies,
      placedAt: placed, metadata: metadata)
    order.emailFault = emailText.flatMap { EmailFault(of: $0, readAs: order.email) }
    return .readable(order)
  }

  private func qualifies(_ rows: PostgresRows, _ row: Int, _ status: String?) -> Bool {
    if mapping.qualifies != nil { return columns.qualifies.map { rows.integer(row, $0) == 1 } ?? false }
    return status.map { mapping.qualifies(status: $0) } ?? false
  }

  private func total(_ amount: String?, _ currency: String?) -> OrderTotal {
    guard mapping.columns.total != nil else { return .unmapped }
    guard let amount else { return .null }
    return isTotalText ? .written(amount, currency: currency) : .amount(amount, currency: currency)
  }

  private static func fault(ofID id: String?) -> String {
    guard let id else { return "orders.columns.id is NULL" }
    if id.isEmpty { return "orders.columns.id is empty" }
    if id.utf8.count > TransactionID.bytesMax {
      return "orders.columns.id is \(id.utf8.count) bytes long, more than \(TransactionID.bytesMax)"
    }
    return "orders.columns.id has control characters"
  }

  private struct Fault: Error { var detail: String }

  /// The years from 1 to 9999, which is what the API's dates can hold, in microseconds since 1970.
  private static let representable: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

  /// 2000-01-01T00:00:00Z, PostgreSQL's own zero (its source, POSTGRES_EPOCH_JDATE), in microseconds since 1970.
  static let postgresEpoch: Int64 = 946_684_800_000_000

  private func placedAt(_ rows: PostgresRows, _ row: Int) throws -> Result<PlacedAt, Fault> {
    guard placedAt.kind == .instant ? !rows.isNull(row, placed.isThere) : rows.integer(row, placed.isThere) == 1
    else { return .failure(Fault(detail: "placed_at is NULL")) }
    // Infinity travels as the largest, or the smallest, number.
    guard let early = rows.integer(row, placed.early), let late = rows.integer(row, placed.late),
      early != .max, early != .min
    else { return .failure(Fault(detail: "placed_at is infinite")) }
    let (from, to) = (early &+ Self.postgresEpoch, late &+ Self.postgresEpoch)
    guard from > early, Self.representable.contains(from), Self.representable.contains(to) else {
      return .failure(Fault(detail: "placed_at is not within the years 1 to 9999"))
    }
    let (earliest, latest) = (Timestamp(microseconds: from), Timestamp(microseconds: to))
    guard placedAt.kind != .date else { return .success(PlacedAt(earliest: earliest, latest: latest)) }
    let end = max(PlacedAt(written: latest).latest, latest + .microseconds(placedAt.granule - 1))
    return .success(PlacedAt(earliest: earliest, latest: end))
  }

  /// The JSON object of what is not NULL; nil where nothing is.
  private func metadata(_ rows: PostgresRows, _ row: Int) throws -> String? {
    var members: [(name: String, json: String)] = []
    for (entry, index) in zip(mapping.metadata, columns.metadata) {
      guard let json = try rows.text(row, index), json != "null" else { continue }
      members.append((entry.name, json))
    }
    return members.isEmpty ? nil : JSONText.object(members)
  }
}

extension OrderMapping {
  /// Says of a status if an order with it qualifies: compared exactly.
  func qualifies(status: String) -> Bool {
    qualifyingStatuses.contains { $0.utf8.elementsEqual(status.utf8) }
  }
}
