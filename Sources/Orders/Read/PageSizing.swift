/// The amount that one transaction reads, in blocks or keys: less at once when it runs into a time limit or takes long,
/// slowly more again.
struct PageSizing: Hashable, Sendable {
  /// A page should hold its snapshot no longer than this.
  static let goal = Duration.milliseconds(500)
  /// A page with more orders than this, as of the last weeks of a large shop, takes more memory than its size tells.
  static let ordersMax = 4000

  /// The configured size.
  let sizeMax: Int
  /// The size now.
  private(set) var size: Int

  /// True while no page was too much.
  private var isStarting: Bool

  /// For pages of at most `max`. If nothing is known of the orders that they hold, the first ones are smaller, and
  /// each twice the one before as long as none is too much: a page is megabytes where all orders are to be looked at
  /// closely.
  init(max: Int, start: Int? = nil) {
    sizeMax = max
    size = min(max, Swift.max(1, start ?? max))
    isStarting = start != nil
  }

  /// Halves the size; false when there is no half.
  mutating func halve() -> Bool {
    isStarting = false
    guard size > 1 else { return false }
    size /= 2
    return true
  }

  /// Takes in how long a full page took, and how many orders it had that were to be looked at closely.
  mutating func note(_ duration: Duration, orders: Int = 0) {
    if duration > Self.goal || orders > Self.ordersMax {
      _ = halve()
    } else if duration < Self.goal / 4, orders < Self.ordersMax / 2 {
      size = min(sizeMax, size + (isStarting ? size : max(1, size / 8)))
    }
  }
}
