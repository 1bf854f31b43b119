/// One of the orders that have one transaction ID.
public struct Namesake: Hashable, Sendable {
  /// The order.
  public var entry: EntryID
  /// The key by which its row was last seen.
  public var key: OrderKey
  /// True if the API has it, or may have it, or a person took it out.
  public var isOver: Bool

  /// Makes one from its values.
  public init(entry: EntryID, key: OrderKey, isOver: Bool) {
    (self.entry, self.key, self.isOver) = (entry, key, isOver)
  }

  /// Returns the order that goes on where of all their rows this one's alone is left: the one that is over, as it must
  /// not be reported again, else the oldest.
  public func keeper(among gone: [Namesake]) -> Namesake {
    if isOver { return self }
    return gone.first(where: \.isOver) ?? gone.first { $0.entry.number < entry.number } ?? self
  }
}
