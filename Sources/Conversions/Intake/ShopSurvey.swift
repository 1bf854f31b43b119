/// The state of the shop's table at one moment, and the method by which it is followed.
public struct ShopSurvey: Hashable, Sendable {
  /// The methods by which changes are found.
  public enum Method: String, Sendable, Codable {
    /// Reads the transaction ID in each row version (xmin), over ranges of the table's blocks: the least work.
    case versions
    /// Compares hashes of the mapped values, over ranges of the key: where no single row version tells of every change.
    case hashes
  }

  /// The method by which changes are found.
  public var method: Method
  /// The reason for that method, in a sentence for an operator.
  public var because: String
  /// Tells this table on this server, read by this mapping, from any other: a mark of another one means nothing. Behind
  /// the first line break stands what a restart of the server changes.
  public var identity: String
  /// True if recent changes can be looked for between sweeps.
  public var hasRecent: Bool
  /// The moment of the survey's snapshot.
  public var moment: SnapshotMoment
  /// The source by what the database says of itself; nil for a source that can't tell.
  public var source: SurveyedSource?
  /// True if it was made on a standby, which may be behind.
  public var isStandby: Bool
  /// The facts that decide which rows are seen: the server's cluster, the role, views, row-level security.
  public var sight: String
  /// True if `placed_at` has no time zone of its own.
  public var hasLocalTimes: Bool

  /// Makes a survey from its values.
  public init(
    method: Method, because: String, identity: String, hasRecent: Bool, moment: SnapshotMoment, isStandby: Bool = false,
    sight: String = "", source: SurveyedSource? = nil, hasLocalTimes: Bool = false
  ) {
    self.source = source
    self.sight = sight
    self.isStandby = isStandby
    self.method = method
    self.because = because
    self.identity = identity
    self.hasRecent = hasRecent
    self.moment = moment
    self.hasLocalTimes = hasLocalTimes
  }

  /// Returns true if an earlier identity was of the same table on the same server, before a restart.
  public func isRestart(since earlier: String) -> Bool {
    earlier != identity && earlier.prefix { $0 != "\n" } == identity.prefix { $0 != "\n" }
  }
}

/// The moment at which a snapshot of the shop's database was taken, by its clock and by its transaction counter.
public struct SnapshotMoment: Hashable, Sendable {
  /// The time by the database's clock.
  public var readAt: Timestamp
  /// The number below which every transaction was over (pg_snapshot_xmin, 64 bits): a version that the snapshot doesn't
  /// show and that is seen later has a number not below this.
  public var horizon: UInt64
  /// The first transaction that had not begun (pg_snapshot_xmax).
  public var end: UInt64
  /// True if the database is on this host, as far as it can tell: then its clock is the host's own.
  public var isOnHost: Bool

  /// Makes a moment from its values.
  public init(readAt: Timestamp, horizon: UInt64, end: UInt64, isOnHost: Bool = false) {
    self.isOnHost = isOnHost
    self.readAt = readAt
    self.horizon = horizon
    self.end = end
  }
}
