/// How much one transaction reads, in blocks or keys: less at once when it runs into a time limit or takes long, slowly
/// more again.
struct PageSizing: Hashable, Sendable {
  /// A page should hold its snapshot no longer than this.
  static let goal = Duration.milliseconds(500)
  /// A page with more orders than this, as of the last weeks of a large shop, takes more memory than its size tells.
  static let ordersMax = 4000

  /// The configured size.
  let sizeMax: Int
  /// The size now.
  private(set) var size: Int

  init(max: Int) {
    sizeMax = max
    size = max
  }

  /// Halves the size; false when there is no half.
  mutating func halve() -> Bool {
    guard size > 1 else { return false }
    size /= 2
    return true
  }

  /// Takes in how long a full page took, and how many orders it had that were to be looked at closely.
  mutating func note(_ duration: Duration, orders: Int = 0) {
    if duration > Self.goal || orders > Self.ordersMax {
      _ = halve()
    } else if duration < Self.goal / 4, orders < Self.ordersMax / 2 {
      size = min(sizeMax, size + max(1, size / 8))
    }
  }
}
