/// A fixed part of the shop's table, with what its last read left behind.
///
/// Each range has a mark of its own, and only a read of that range moves it: a horizon taken elsewhere, or for the whole
/// table, would pass over rows that were never read.
public struct SweepRange: Hashable, Sendable {
  /// Its number in the ledger; ranges are first read in the order of their numbers.
  public var number: Int64
  /// Where it begins, in the source's words; nil for the beginning.
  public var lower: String?
  /// Before what it ends; nil for no end.
  public var upper: String?
  /// What its last complete read left: a snapshot's horizon, a hash. Nil: it has to be read whole.
  public var mark: String?
  /// When its last complete read began, by the host's clock.
  public var readAt: Timestamp?
  /// When its last whole read began: every row of it, whatever the mark says.
  public var wholeAt: Timestamp?
  /// When the newest of its orders was placed, as far as is known.
  public var placedLatest: Timestamp?
  /// How many of its orders left nothing in the ledger but this count, by what was decided of them.
  public var counts: [Outcome: Int]

  /// A range that was never read.
  public init(number: Int64, lower: String? = nil, upper: String? = nil, mark: String? = nil) {
    self.number = number
    self.lower = lower
    self.upper = upper
    self.mark = mark
    counts = [:]
  }
}

/// What is read of a range in one transaction.
public struct SweepPiece: Hashable, Sendable {
  /// The range as it was last read.
  public var range: SweepRange
  /// Where the piece begins; nil for the range's beginning.
  public var from: String?
  /// Whether everything is to be read, and not only what changed since the mark.
  public var isWhole: Bool

  /// A piece from its values.
  public init(range: SweepRange, from: String? = nil, isWhole: Bool) {
    self.range = range
    self.from = from
    self.isWhole = isWhole
  }
}

/// What a piece of a range brought.
public struct SweepPage: Sendable {
  /// A range that turned out to be larger than one is to be: it ends here, and what is behind becomes a range too.
  public struct Split: Hashable, Sendable {
    /// Where the range ends and the other begins.
    public var at: String
    /// The mark of the other, for which nothing was read.
    public var mark: String?

    /// A split from its values.
    public init(at: String, mark: String?) {
      self.at = at
      self.mark = mark
    }
  }

  /// The orders, each key at most once.
  public var orders: [SeenOrder]
  /// Orders that the screen ruled out, by what becomes of them.
  public var counted: [Outcome: Int]
  /// Whether every order of the piece was looked at, and not only those that changed.
  public var isWhole: Bool
  /// When the newest of the orders that were looked at was placed.
  public var placedLatest: Timestamp?
  /// Where the range's next piece begins; nil where this was its last.
  public var next: String?
  /// The mark of this piece's snapshot.
  public var mark: String?
  /// Set where the range was larger than one is to be.
  public var split: Split?
  /// When the snapshot was taken.
  public var moment: SnapshotMoment
  /// How long the transaction lasted.
  public var cost: Duration
  /// What an operator should know although reading goes on, in a sentence each; the same words for as long as it lasts.
  public var warnings: [String]

  /// A page from its values.
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
  /// Whether this version was visible before the referrals' last complete sweep began: that sweep's word on it counts.
  public var isSettled: Bool

  /// A seen order from its values.
  public init(_ row: OrderRow, isSettled: Bool = false) {
    self.row = row
    self.isSettled = isSettled
  }
}

/// What a look for recent changes brought.
public struct RecentPage: Sendable {
  /// The orders, each key at most once.
  public var orders: [SeenOrder]
  /// Where to go on, in the source's words.
  public var position: String
  /// Whether there was more than one page takes: the sweep must bring the rest.
  public var isCut: Bool
  /// When the snapshot was taken.
  public var moment: SnapshotMoment
  /// How long the transaction lasted.
  public var cost: Duration
  /// As a sweep's.
  public var warnings: [String]

  /// A page from its values.
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
