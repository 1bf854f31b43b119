/// Referrals in the order of their creation: sorted keys, found by bisection.
///
/// A page out of 100,000 referrals is a slice of it, and the count within a window the distance of two bounds.
struct CreationIndex: Sendable {
  /// The creation time, and the number of the referral as a tie-break.
  struct Key: Sendable, Hashable, Comparable {
    let createdAt: Int64
    let number: Int

    static func < (left: Key, right: Key) -> Bool {
      (left.createdAt, left.number) < (right.createdAt, right.number)
    }
  }

  private(set) var keys: [Key] = []

  mutating func insert(_ key: Key) {
    // Tries the end first: a key is nearly always the newest.
    if let last = keys.last, last < key {
      keys.append(key)
    } else {
      keys.insert(key, at: firstIndex { $0 >= key })
    }
  }

  mutating func remove(_ key: Key) {
    let index = firstIndex { $0 >= key }
    if index < keys.count, keys[index] == key { keys.remove(at: index) }
  }

  /// Returns the positions of the referrals that were created within the window, both ends included.
  func range(from: Int64?, to: Int64?) -> Range<Int> {
    let lower = from.map { from in firstIndex { $0.createdAt >= from } } ?? 0
    let upper = to.map { to in firstIndex { $0.createdAt > to } } ?? keys.count
    return lower..<max(lower, upper)
  }

  private func firstIndex(where holds: (Key) -> Bool) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if holds(keys[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
