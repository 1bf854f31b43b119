public import Conversions

/// The mapping of the shop's table: the operator's `orders:` section and `reporting.metadata`, as plain values.
///
/// Every expression is SQL over `from`, written by the operator, who may read the table anyway.
public struct OrderMapping: Hashable, Sendable {
  /// The expressions of `orders.columns`.
  public struct Columns: Hashable, Sendable {
    /// Becomes the transaction ID, as text.
    public var id: String
    /// The buyer's e-mail.
    public var email: String?
    /// The partner's own reference to the referral.
    public var externalSourceID: String?
    /// The buyer as this shop names referrers.
    public var customerID: String?
    /// The order value.
    public var total: String?
    /// The currency: a column, or a literal.
    public var currency: String?
    /// The status.
    public var status: String?
    /// The time at which the friend bought.
    public var placedAt: String
    /// Raw indexed change columns.
    public var updatedAt: [String]

    /// Expressions.
    public init(
      id: String, email: String? = nil, externalSourceID: String? = nil, customerID: String? = nil,
      total: String? = nil, currency: String? = nil, status: String? = nil, placedAt: String, updatedAt: [String] = []
    ) {
      self.id = id
      self.email = email
      self.externalSourceID = externalSourceID
      self.customerID = customerID
      self.total = total
      self.currency = currency
      self.status = status
      self.placedAt = placedAt
      self.updatedAt = updatedAt
    }
  }

  /// One member of `reporting.metadata`.
  public struct MetadataEntry: Hashable, Sendable {
    /// The member's name in the JSON object.
    public var name: String
    /// The expression of its value.
    public var expression: String

    /// A member.
    public init(name: String, expression: String) {
      self.name = name
      self.expression = expression
    }
  }

  /// A libpq conninfo string or URI.
  public var connection: String
  /// A table, a view, or a FROM clause with joins.
  public var from: String
  /// The column by which orders are walked and read again; nil for `columns.id`.
  public var key: String?
  /// The condition that makes a row an order; nil for every row.
  public var condition: String?
  /// The columns.
  public var columns: Columns
  /// The unit that `columns.total` counts; nil where it is left to the column's type.
  public var totalUnit: AmountRules.Unit?
  /// The zone of a `timestamp without time zone` or a `date` in `columns.placedAt`.
  public var timeZone: String
  /// The statuses that qualify, compared exactly; where `qualifies` is nil.
  public var qualifyingStatuses: [String]
  /// An SQL condition in place of the statuses.
  public var qualifies: String?
  /// The metadata's members, in the order in which they are sent.
  public var metadata: [MetadataEntry]
  /// The most orders that are read by their keys at once.
  public var pageSize: Int
  /// The channel on which the shop says that orders changed.
  public var notifyChannel: String?

  /// A mapping; `pageSize` is at least 1.
  public init(
    connection: String, from: String, key: String? = nil, condition: String? = nil, columns: Columns,
    totalUnit: AmountRules.Unit? = nil, timeZone: String = "UTC", qualifyingStatuses: [String] = [],
    qualifies: String? = nil,
    metadata: [MetadataEntry] = [], pageSize: Int = 500, notifyChannel: String? = nil
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
