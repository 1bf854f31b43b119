import Conversions
import Postgres

/// The keys of one page: at most so many, and never some of those that are equal in the key's own type without the
/// others, as the next page begins after the last.
struct KeyPage: Hashable {
  /// Keys in order, each once.
  var keys: [OrderKey] = []
  /// The key behind which the next page begins; nil when there is none.
  var last: OrderKey?

  /// Takes the keys that a statement with a limit of `size + 1` returned, each with whether it equals the one before.
  init(_ found: [(key: OrderKey, equalsPrevious: Bool)], size: Int) {
    var end = found.count
    if found.count > size {
      // The last group may go on behind the limit: it is left to the next page, unless it is all there is.
      end = found.lastIndex { !$0.equalsPrevious } ?? 0
      if end == 0 { end = found.count }
      last = found[end - 1].key
    }
    var taken: Set<OrderKey> = []
    keys = found[..<end].map(\.key).filter { taken.insert($0).inserted }
  }
}
