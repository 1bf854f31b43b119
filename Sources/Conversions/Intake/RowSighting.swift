/// Result of a look for one order by its key.
///
/// A row that isn't found is not always gone: a standby that lags, or another client's search path, hides it as well, and
/// an order that was cancelled for that is lost.
public enum RowSighting: Hashable, Sendable {
  /// The row as the shop's table shows it.
  case shown(OrderRow)
  /// The row is gone, or no longer an order, by the word of a server that has seen all that was seen before.
  case gone
  /// Nothing that was seen can be relied upon; why, in a sentence. The order waits.
  case unproven(String)

  /// The reason that an order waits with whose row could not be looked at reliably.
  public static let unprovenReason = "row_unproven"
  /// How long it waits.
  public static let unprovenWait = Duration.seconds(10)

  /// Whether nothing that was seen can be relied upon.
  public var isUnproven: Bool {
    if case .unproven = self { true } else { false }
  }

  /// The row, where it was shown.
  public var row: OrderRow? {
    if case .shown(let row) = self { row } else { nil }
  }
}
