/// A fixed part of the shop's table, with what its last read left behind.
///
/// Each range has a mark of its own, and only a read of that range moves it: a horizon taken elsewhere, or for the
/// whole table, would pass over rows that were never read.
public struct SweepRange: Hashable, Sendable {
  /// Its number in the ledger; ranges are first read in the order of their numbers.
  public var number: Int64
  /// The position at which it begins, as the source writes it; nil for the beginning.
  public var lower: String?
  /// The position before which it ends; nil for no end.
  public var upper: String?
  /// The mark that its last complete read left: a snapshot's horizon, a hash. Nil: it has to be read whole.
  public var mark: String?
  /// The time at which its last complete read began, by the host's clock.
  public var readAt: Timestamp?
  /// The time at which its last whole read began: of every row of it, whatever the mark says.
  public var wholeAt: Timestamp?
  /// The time at which the newest of its orders was placed, as far as is known.
  public var placedLatest: Timestamp?
  /// The number of its orders that left nothing in the ledger but this count, by what was decided of them.
  public var counts: [Outcome: Int]

  /// Makes a range that was never read.
  public init(number: Int64, lower: String? = nil, upper: String? = nil, mark: String? = nil) {
    self.number = number
    self.lower = lower
    self.upper = upper
    self.mark = mark
    counts = [:]
  }
}

/// The piece of a range that is read in one transaction.
public struct SweepPiece: Hashable, Sendable {
  /// The range as it was last read.
  public var range: SweepRange
  /// The position at which the piece begins; nil for the range's beginning.
  public var from: String?
  /// True if everything is to be read, and not only what changed since the mark.
  public var isWhole: Bool

  /// Makes a piece from its values.
  public init(range: SweepRange, from: String? = nil, isWhole: Bool) {
    self.range = range
    self.from = from
    self.isWhole = isWhole
  }
}

/// The result of reading a piece of a range.
public struct SweepPage: Sendable {
  /// The split of a range that turned out to be larger than one is to be: it ends here, and the rest becomes a range
  /// too.
  public struct Split: Hashable, Sendable {
    /// The position at which the range ends and the other begins.
    public var at: String
    /// The mark of the other, for which nothing was read.
    public var mark: String?

    /// Makes a split from its values.
    public init(at: String, mark: String?) {
      self.at = at
      self.mark = mark
    }
  }

  /// The orders, each key at most once.
  public var orders: [SeenOrder]
  /// The numbers of orders that the screen ruled out, by what becomes of them.
  public var counted: [Outcome: Int]
  /// True if every order of the piece was looked at, and not only those that changed.
  public var isWhole: Bool
  /// The time at which the newest of the orders that were looked at was placed.
  public var placedLatest: Timestamp?
  /// The latest of the times that the screen ruled out as before the start of the orders.
  public var passedOver: PlacedAt?
  /// The position at which the range's next piece begins; nil where this was its last.
  public var next: String?
  /// The mark of this piece's snapshot.
  public var mark: String?
  /// The split of the range, where it was larger than one is to be.
  public var split: Split?
  /// The moment at which the snapshot was taken.
  public var moment: SnapshotMoment
  /// The time that the transaction took.
  public var cost: Duration
  /// The facts that an operator should know although reading goes on, in a sentence each; the same words for as long as
  /// it lasts.
  public var warnings: [String]
  /// The warning that the values of a column may not be what the mapping says; nil without one.
  public var doubt: String?

  /// Makes a page from its values.
  public init(
    orders: [SeenOrder], counted: [Outcome: Int] = [:], isWhole: Bool, placedLatest: Timestamp? = nil,
    next: String? = nil,
    mark: String?, split: Split? = nil, moment: SnapshotMoment, cost: Duration = .zero, warnings: [String] = []
  ) {
    self.orders = orders
    self.counted = counted
    self.isWhole = isWhole
    self.placedLatest = placedLatest
    self.next = next
    self.mark = mark
    self.split = split
    self.moment = moment
    self.cost = cost
    self.warnings = warnings
  }
}

/// An order as it was read, with what the read told about its version.
public struct SeenOrder: Hashable, Sendable {
  /// The row.
  public var row: OrderRow
  /// True if this version was visible before the referrals' last complete sweep began: that sweep's result holds for
  /// it.
  public var isCovered: Bool

  /// Makes a seen order from its values.
  public init(_ row: OrderRow, isCovered: Bool = false) {
    self.row = row
    self.isCovered = isCovered
  }
}

/// The result of a look for recent changes.
public struct RecentPage: Sendable {
  /// The orders, each key at most once.
  public var orders: [SeenOrder]
  /// The latest of the times that the screen ruled out, as a sweep's.
  public var passedOver: PlacedAt?
  /// The position at which to go on, as the source writes it.
  public var position: String
  /// True if there was more than one page takes: the sweep must bring the rest.
  public var isCut: Bool
  /// The moment at which the snapshot was taken.
  public var moment: SnapshotMoment
  /// The time that the transaction took.
  public var cost: Duration
  /// The warnings, as a sweep's.
  public var warnings: [String]
  /// The warning that the values of a column may not be what the mapping says; nil without one.
  public var doubt: String?

  /// Makes a page from its values.
  public init(
    orders: [SeenOrder], position: String, isCut: Bool = false, moment: SnapshotMoment, cost: Duration = .zero,
    warnings: [String] = []
  ) {
    self.orders = orders
    self.position = position
    self.isCut = isCut
    self.moment = moment
    self.cost = cost
    self.warnings = warnings
  }
}
