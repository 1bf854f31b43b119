/// Tells rows of reported orders that were deleted, or that `orders.where` leaves out, because their orders were cancelled from
/// those that are absent for another reason: an archive takes away the oldest, a mistaken condition many at once.
public struct AbsentRows: Sendable {
  /// The least number of rows that are many.
  private static let manyMin = 3
  /// The part of all rows that were looked at from which on they are many, as one in so many.
  private static let manyPart = 10

  /// The orders whose rows are newly absent, with the times at which they were placed.
  public private(set) var absent: [(entry: EntryID, placedAt: Timestamp?)] = []
  private var shown: [Timestamp] = []
  private var looked = 0

  /// Begins without a row.
  public init() {}

  /// The number of rows that were looked at.
  public var count: Int { looked }

  /// Takes in a row that is there.
  public mutating func show(placedAt: Timestamp?) {
    looked += 1
    if let placedAt { shown.append(placedAt) }
  }

  /// Takes in a row that is absent.
  public mutating func miss(_ entry: EntryID, placedAt: Timestamp?) {
    looked += 1
    absent.append((entry, placedAt))
  }

  /// The judgement on all rows that are newly absent.
  public struct Verdict: Hashable, Sendable {
    /// Orders that were cancelled.
    public var cancelled: [EntryID] = []
    /// Orders that are as old as those which an archive has taken.
    public var aged: [EntryID] = []
    /// Orders that are too many at once to be cancelled.
    public var many: [EntryID] = []
  }

  /// Judges them.
  public func verdict() -> Verdict {
    let times = shown.sorted()
    // One in so many of the rows that are there is older than each that isn't: then it is not its age.
    let youngest = times.isEmpty ? nil : times[min(times.count - 1, times.count / Self.manyPart)]
    var verdict = Verdict()
    for (entry, placedAt) in absent {
      let isAged = placedAt.map { placed in youngest.map { placed < $0 } ?? false } ?? false
      if isAged { verdict.aged.append(entry) } else { verdict.cancelled.append(entry) }
    }
    if verdict.cancelled.count >= Self.manyMin, verdict.cancelled.count * Self.manyPart >= looked {
      (verdict.many, verdict.cancelled) = (verdict.cancelled, [])
    }
    return verdict
  }
}
