/// What retention does.
public protocol RetentionRecords {
  /// Removes finished orders that were decided before a time, but for what keeps them from being reported again.
  ///
  /// - Parameters:
  ///   - time: Before when they were decided.
  ///   - place: Where the last batch ended; nil to begin.
  ///   - limit: So many are looked at, at most.
  /// - Returns: How many were removed, and where the next batch begins; nil once all were looked at.
  /// - Throws: What the store threw.
  func removeFinished(
    decidedBefore time: Timestamp, from place: RetentionPlace?, limit: Int
  ) throws -> (removed: Int, next: RetentionPlace?)
}

/// How far a run of retention has come.
public struct RetentionPlace: Hashable, Sendable {
  /// The outcome whose orders it looks at.
  public var outcome: Outcome
  /// When the last of them that it looked at was decided.
  public var decidedAt: Timestamp
  /// The number of that one.
  public var entry: EntryID

  /// A place from its values.
  public init(outcome: Outcome, decidedAt: Timestamp, entry: EntryID) {
    self.outcome = outcome
    self.decidedAt = decidedAt
    self.entry = entry
  }
}
