import Conversions
import Postgres

/// What is read within one transaction.
struct ShopReading: Sendable {
  let sql: ShopSQL
  let isASCII: Bool
  let serverVersion: Int

  /// The moment of a transaction's snapshot.
  struct Moment: Sendable {
    var horizon: String
    var readAt: Timestamp
  }

  /// A page as it was read.
  struct Page: Sendable {
    var keyPage: KeyPage
    var rows: [OrderRow]
    var moment: Moment
    var walkDigest: String
    /// The walk that the page belongs to.
    var walk: Int
  }

  private var mapping: OrderMapping { sql.mapping }

  /// Reads the page after a position. Keys come first, by the key's index alone, and the rows by their keys after
  /// that: with joins this is what keeps a page's work to its rows.
  func page(after position: WalkPosition?, size: Int, in transaction: PostgresTransaction) throws -> Page {
    let (moment, description) = try begin(transaction)
    let digest = mapping.walkDigest(description.key)
    let known = position?.mapping == digest ? position : nil
    let found = try keys(after: known?.key, size: size, description, transaction)
    let keyPage = KeyPage(found, size: size)
    let orders = try RowReading(sql, description, transaction).orders(keyPage.keys)
    let rows = keyPage.keys.compactMap { orders[$0] }
    return Page(keyPage: keyPage, rows: rows, moment: moment, walkDigest: digest, walk: known?.walk ?? 1)
  }

  /// Reads orders by their keys.
  func orders(_ keys: [OrderKey], in transaction: PostgresTransaction) throws -> [OrderKey: OrderRow] {
    let (_, description) = try begin(transaction)
    return try RowReading(sql, description, transaction).orders(keys)
  }

  /// The snapshot's horizon and time, whether the time zone exists, and what the table looks like.
  private func begin(_ transaction: PostgresTransaction) throws -> (Moment, TableDescription) {
    let horizon =
      serverVersion >= 130_000
      ? "pg_snapshot_xmin(pg_current_snapshot())" : "txid_snapshot_xmin(txid_current_snapshot())"
    let rows: PostgresRows
    do {
      rows = try transaction.query(
        """
        SELECT \(horizon)::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text,
        (now() AT TIME ZONE $1::text)::text
        """, [PostgresParameter(mapping.timeZone)])
    } catch let error as PostgresError where error.kind == .data {
      throw OrderSourceFailure(
        kind: .mapping, sqlState: error.sqlState?.rawValue, message: "orders.time_zone: \(error.message)")
    }
    guard let xmin = try rows.text(0, 0), let now = try rows.text(0, 1).flatMap({ Int64($0) }) else {
      throw OrderSourceFailure(kind: .other, message: "the server told no time")
    }
    let description = try Describing(sql: sql, isASCII: isASCII).description(in: transaction)
    return (Moment(horizon: xmin, readAt: Timestamp(microseconds: now)), description)
  }

  /// One more key than the page is to hold. Where `orders.where` fails for some row's value, keys are taken without it:
  /// the rows are read with it, and only those for which it fails are unreadable.
  private func keys(
    after last: String?, size: Int, _ description: TableDescription, _ transaction: PostgresTransaction
  ) throws -> [(key: OrderKey, equalsPrevious: Bool)] {
    func find(filtered: Bool) throws -> PostgresRows {
      let limit = PostgresParameter(Int64(size) + 1)
      return try transaction.query(
        sql.keys(description.key, continues: last != nil, filtered: filtered),
        last.map { [PostgresParameter($0), limit] } ?? [limit])
    }
    let rows: PostgresRows
    switch try transaction.attempt({ try find(filtered: true) }) {
    case .success(let found): rows = found
    case .failure(let error) where error.kind == .data && mapping.condition != nil:
      do { rows = try find(filtered: false) } catch let error as PostgresError {
        throw error.kind == .data ? FailureWording.failure(error, at: mapping.keyExpression.setting) : error
      }
    case .failure(let error) where error.kind == .data || error.kind == .mapping:
      throw FailureWording.failure(error, at: mapping.keyExpression.setting)
    case .failure(let error): throw error
    }
    return try (0..<rows.count).compactMap { row in
      try rows.text(row, 0).map { (key: OrderKey($0), equalsPrevious: try rows.text(row, 1) == "true") }
    }
  }
}
