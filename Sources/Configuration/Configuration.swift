/// Everything an operator may set, in typed values that were checked together.
///
/// The documented defaults are the initial values of the properties; `orders.connection`, `orders.from`,
/// `orders.columns.id` and `orders.columns.placed_at` have none. ``ConfigurationReader`` makes one from a file.
public struct Configuration: Sendable, Equatable {
  /// Where the shop's orders are, and how its columns are to be read.
  public var orders: Orders
  /// Which referral an order belongs to.
  public var matching = Matching()
  /// When and how a matched order is reported.
  public var reporting = Reporting()
  /// The partners API and this host's share of its limits.
  public var api = API()
  /// Where the daemon keeps what it must remember.
  public var ledger = Ledger()
  /// What is written to the journal or to standard error.
  public var log = Log()
  /// Where metrics and health are served.
  public var metrics = Metrics()

  /// A configuration of these orders, with the documented default everywhere else.
  public init(orders: Orders) {
    self.orders = orders
  }
}
