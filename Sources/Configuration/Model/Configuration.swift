/// Everything an operator may set, in typed values that were checked together.
///
/// The documented defaults are the initial values of the properties; `orders.connection`, `orders.from`,
/// `orders.columns.id` and `orders.columns.placed_at` have none. ``ConfigurationReader`` makes one from a file.
public struct Configuration: Sendable, Equatable {
  /// The place of the shop's orders, and how its columns are to be read.
  public var orders: Orders
  /// The rules for which referral an order belongs to.
  public var matching = Matching()
  /// The rules for when and how a matched order is reported.
  public var reporting = Reporting()
  /// The partners API and this host's share of its limits.
  public var api = API()
  /// The place where the daemon keeps what it must remember.
  public var ledger = Ledger()
  /// The rules for what is written to the journal or to standard error.
  public var log = Log()
  /// The address where metrics and health are served.
  public var metrics = Metrics()

  /// The instance that it is of, from which the key's file and the ledger have their defaults.
  public let instance: Instance

  /// Makes a configuration of these orders, with the documented default everywhere else.
  public init(orders: Orders, instance: Instance = .plain) {
    self.orders = orders
    self.instance = instance
    api.keyFile = instance.keyFile
    ledger.location = .sqlite(path: instance.ledgerFile)
  }
}
