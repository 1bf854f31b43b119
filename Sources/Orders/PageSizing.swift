/// How many orders a page reads: fewer at once when a page runs into a time limit or takes long, slowly more again.
struct PageSizing: Hashable, Sendable {
  /// A page should hold its snapshot no longer than this.
  static let goal = Duration.milliseconds(500)

  /// The configured size.
  let sizeMax: Int
  /// The size now.
  private(set) var size: Int

  init(max: Int) {
    sizeMax = max
    size = max
  }

  /// Halves the size; false when one row is already the whole page.
  mutating func halve() -> Bool {
    guard size > 1 else { return false }
    size /= 2
    return true
  }

  /// Takes in how long a full page took.
  mutating func note(_ duration: Duration) {
    if duration > Self.goal {
      _ = halve()
    } else if duration < Self.goal / 4 {
      size = min(sizeMax, size + max(1, size / 8))
    }
  }
}
