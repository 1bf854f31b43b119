/// Records that retention removes.
public protocol RetentionRecords {
  /// Removes orders of an outcome that is `finished` which were decided before a time, but for what keeps them from being
  /// reported again. One that waits for a decision stays; so do a send that may have been done, and one that holds a
  /// referral which the mirror doesn't show converted: without the holder a rival could take it. The statement that moves
  /// the orders tells so, for a whole batch.
  ///
  /// - Parameters:
  ///   - time: The time before which they were decided.
  ///   - place: The place at which the last batch ended; nil to begin.
  ///   - limit: The most orders that are looked at.
  /// - Returns: The number of orders removed, and the place at which the next batch begins; nil once all were looked
  ///   at.
  /// - Throws: The store's error.
  func removeFinished(
    decidedBefore time: Timestamp, from place: RetentionPlace?, limit: Int
  ) throws -> (removed: Int, next: RetentionPlace?)
}

/// The place that a run of retention has reached.
public struct RetentionPlace: Hashable, Sendable {
  /// The outcome whose orders it looks at.
  public var outcome: Outcome
  /// The time at which the last of them that it looked at was decided.
  public var decidedAt: Timestamp
  /// The number of that one.
  public var entry: EntryID

  /// Makes a place from its values.
  public init(outcome: Outcome, decidedAt: Timestamp, entry: EntryID) {
    self.outcome = outcome
    self.decidedAt = decidedAt
    self.entry = entry
  }
}
