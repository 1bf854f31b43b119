public import Conversions

extension Configuration {
  /// The keys under `orders:`.
  public struct Orders: Sendable, Equatable {
    /// A libpq connection string (PostgreSQL documentation, 34.1.1); it holds no password.
    public var connection: String
    /// A table, a view, or a FROM clause with joins.
    public var from: String
    /// The SQL expression that orders are walked and read again by, unique and in its own type.
    public var key: String
    /// The SQL condition that tells orders from carts and tests.
    public var `where`: String?
    /// The parts of an order, as SQL expressions over ``from``.
    public var columns: Order.Columns
    /// The unit that `columns.total` counts; `nil` where the file leaves it to the column's type: an integer counts
    /// cents, and of a type with decimals nothing is assumed.
    public var totalUnit: AmountRules.Unit?
    /// The treatment of a fraction of a cent.
    public var rounding = AmountRules.Rounding.refuse
    /// The IANA time zone of columns that are `timestamp without time zone`.
    public var timeZone = "UTC"
    /// The statuses that make an order a conversion; they count where ``qualifies`` is `nil`.
    public var qualifyingStatuses = ["paid", "completed"]
    /// The SQL condition that makes an order a conversion, in place of ``qualifyingStatuses``.
    public var qualifies: String?
    /// The orders that the first start takes in.
    public var start = Start.auto
    /// The interval at which the newest changes are looked at.
    public var pollInterval = Duration.seconds(5)
    /// The interval at which the sweep begins its next step.
    public var sweepInterval = Duration.seconds(60)
    /// The channel to LISTEN on.
    public var notifyChannel: String?

    /// Makes orders at this connection, with the documented default for everything else; `key` is `columns.id`.
    public init(connection: String, from: String, columns: Order.Columns) {
      self.connection = connection
      self.from = from
      self.key = columns.id
      self.columns = columns
    }

    /// The rule in force: ``qualifies`` where given, else ``qualifyingStatuses``.
    public var qualification: Qualification {
      if let qualifies { .condition(qualifies) } else { .statuses(qualifyingStatuses) }
    }
  }
}

extension Configuration.Orders {
  /// The rule that makes an order a conversion.
  public enum Qualification: Sendable, Equatable {
    /// Its status column holds one of these.
    case statuses([String])
    /// This SQL condition is true of it.
    case condition(String)
  }

  /// The orders that the first start takes in.
  public enum Start: Sendable, Equatable {
    /// From the oldest open referral on: no earlier order can match.
    case auto
    /// From the moment of the first start on.
    case now
    /// All of them.
    case beginning
    /// From the beginning of this day on, in ``Configuration/Orders/timeZone``.
    case day(year: Int, month: Int, day: Int)
    /// From this instant on, in microseconds since 1970-01-01T00:00:00Z.
    case instant(microseconds: Int64)
  }
}
