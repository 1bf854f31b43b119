/// A lost key is that of an order whose row is gone from where it was: the shop gave the key to another order.
extension OrderKey {
  /// The character U+0001, which begins such a key, and no shop's.
  private static let mark: Character = "\u{1}"

  /// Marks a key as lost by an order. The entry's number tells it from others that lost the same key.
  public func lost(by entry: EntryID) -> OrderKey { OrderKey("\(Self.mark)\(entry.number)\(Self.mark)\(text)") }

  /// True if no row is to be found by this key.
  public var isLost: Bool { text.utf8.first == 1 }

  /// The key as it was before it was lost.
  public var former: OrderKey {
    guard isLost else { return self }
    let parts = text.split(separator: Self.mark, maxSplits: 2, omittingEmptySubsequences: true)
    return parts.count == 2 ? OrderKey(String(parts[1])) : self
  }

  /// The key as people are shown it.
  public var shown: String {
    guard isLost else { return text }
    let parts = text.split(separator: Self.mark, maxSplits: 2, omittingEmptySubsequences: true)
    guard parts.count == 2 else { return text }
    return "\(parts[1]) (gone, #\(parts[0]))"
  }
}

/// An order ID that several orders have, as far as is known: the shop is asked which of their rows are still there.
public struct RepeatedID: Hashable, Sendable {
  /// The time that an order waits for the shop's answer on its ID before matching looks at it again.
  public static let checkMax = Duration.seconds(900)

  /// The ID.
  public var transactionID: String
  /// The keys by which their rows were last seen.
  public var keys: [OrderKey]

  /// Makes an ID with its orders' keys.
  public init(transactionID: String, keys: [OrderKey]) {
    self.transactionID = transactionID
    self.keys = keys
  }
}
