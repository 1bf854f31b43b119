public import Conversions

/// The mapping of the shop's table: the operator's `orders:` section and `reporting.metadata`, as plain values.
///
/// Every expression is SQL over `from`, written by the operator, who may read the table anyway.
public struct OrderMapping: Hashable, Sendable {
  /// A libpq conninfo string or URI.
  public var connection: String
  /// A table, a view, or a FROM clause with joins.
  public var from: String
  /// The column by which orders are walked and read again; nil for `columns.id`.
  public var key: String?
  /// The condition that makes a row an order; nil for every row.
  public var condition: String?
  /// The columns.
  public var columns: Order.Columns
  /// The unit that `columns.total` counts; nil where it is left to the column's type.
  public var totalUnit: AmountRules.Unit?
  /// The zone of a `timestamp without time zone` or a `date` in `columns.placedAt`.
  public var timeZone: String
  /// The statuses that qualify, compared exactly; where `qualifies` is nil.
  public var qualifyingStatuses: [String]
  /// An SQL condition in place of the statuses.
  public var qualifies: String?
  /// The metadata's members, in the order in which they are sent.
  public var metadata: [Order.MetadataEntry]
  /// The most orders that are read by their keys at once.
  public var pageSize: Int
  /// The channel on which the shop says that orders changed.
  public var notifyChannel: String?

  /// A mapping; `pageSize` is at least 1.
  public init(
    connection: String, from: String, key: String? = nil, condition: String? = nil, columns: Order.Columns,
    totalUnit: AmountRules.Unit? = nil, timeZone: String = "UTC", qualifyingStatuses: [String] = [],
    qualifies: String? = nil,
    metadata: [Order.MetadataEntry] = [], pageSize: Int = 500, notifyChannel: String? = nil
  ) {
    self.connection = connection
    self.from = from
    self.key = key
    self.condition = condition
    self.columns = columns
    self.totalUnit = totalUnit
    self.timeZone = timeZone
    self.qualifyingStatuses = qualifyingStatuses
    self.qualifies = qualifies
    self.metadata = metadata
    self.pageSize = max(1, pageSize)
    self.notifyChannel = notifyChannel
  }
}
