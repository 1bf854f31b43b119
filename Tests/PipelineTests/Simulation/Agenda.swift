import Synchronization

/// The things that are to happen, by virtual time, beside what the loops wait for themselves.
final class Agenda: Sendable {
  private struct Entry {
    var at: Duration
    var number: Int
    var action: @Sendable () throws -> Void
  }

  private let entries = Mutex<(sorted: [Entry], number: Int)>(([], 0))
  let clock: VirtualClock

  init(_ clock: VirtualClock) { self.clock = clock }

  /// The time of the next thing that happens.
  var nextAt: Duration? { entries.withLock { $0.sorted.last?.at } }

  /// Adds a thing that happens at an uptime.
  func add(at uptime: Duration, _ action: @escaping @Sendable () throws -> Void) {
    entries.withLock { entries in
      entries.number += 1
      let entry = Entry(at: uptime, number: entries.number, action: action)
      // The latest first; of one time, the last that was added.
      let index = entries.sorted.partitioningIndex { $0.at <= uptime }
      entries.sorted.insert(entry, at: index)
    }
  }

  /// Adds a thing that happens after a while.
  func add(after delay: Duration, _ action: @escaping @Sendable () throws -> Void) {
    add(at: clock.uptime + delay, action)
  }

  /// Nothing more is to happen.
  func clear() { entries.withLock { $0.sorted = [] } }

  /// Does the next thing if its time has come; false for none.
  func doNext() throws -> Bool {
    let now = clock.uptime
    let entry = entries.withLock { entries -> Entry? in
      guard let last = entries.sorted.last, last.at <= now else { return nil }
      return entries.sorted.removeLast()
    }
    guard let entry else { return false }
    try entry.action()
    return true
  }
}

extension Array {
  /// The first index whose element fulfils a predicate that holds from there on.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
