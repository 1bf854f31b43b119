/// The result of a look for one order by its key.
///
/// A row that isn't found is not always gone: a standby that lags, or another client's search path, hides it as well,
/// and an order that was cancelled for that is lost.
public enum RowSighting: Hashable, Sendable {
  /// The row as the shop's table shows it.
  case shown(OrderRow)
  /// The row is gone, as told by a server that has seen all that was seen before.
  case gone
  /// The row is there, and no longer an order: `orders.where` leaves it out.
  case excluded
  /// The row is gone, or row-level security hides it: there is no telling.
  case hidden
  /// Nothing that was seen can be relied upon; the reason in a sentence. The order waits.
  case unproven(String)

  /// The reason of an order that waits because its row could not be looked at reliably.
  public static let unprovenReason = QueuedReason.rowUnproven.rawValue
  /// The time for which it waits.
  public static let unprovenWait = Duration.seconds(10)

  /// True if nothing that was seen can be relied upon.
  public var isUnproven: Bool {
    if case .unproven = self { true } else { false }
  }

  /// The row, where it was shown.
  public var row: OrderRow? {
    if case .shown(let row) = self { row } else { nil }
  }
}
