/// A long walk's place in the API's list, for a restart to go on from. The walk still counts as begun when it began.
public struct WalkPlace: Hashable, Sendable, Codable {
  /// A place inside one `createdAt` that fills more than a page: pages are counted there.
  public struct Instant: Hashable, Sendable, Codable {
    /// The `createdAt`.
    public var at: Timestamp
    /// True once a page has shown that there are referrals of it.
    public var mustShow: Bool
    /// The page that is asked for next.
    public var number: Int
    /// The number of times that reading it was begun.
    public var passes: Int
    /// Sum of the referrals that this pass has shown.
    public var sum: Sum
    /// Sum of those that the pass before has shown.
    public var before: Sum?

    /// Makes a place from its values.
    public init(at: Timestamp, mustShow: Bool, number: Int, passes: Int, sum: Sum, before: Sum?) {
      (self.at, self.mustShow, self.number, self.passes) = (at, mustShow, number, passes)
      (self.sum, self.before) = (sum, before)
    }
  }

  /// The sum of what a pass has shown, whatever its order.
  public struct Sum: Hashable, Sendable, Codable {
    /// The number of referrals.
    public var count = 0
    /// The sum of their IDs' digests.
    public var hashes: Int64 = 0

    /// Begins with no referrals.
    public init() {}

    /// Takes in a page.
    public mutating func add(_ page: ReferralPage) {
      count += page.count
      for id in page.ids {
        var digest = ContentDigest()
        digest.combine(id.text)
        hashes &+= digest.bits
      }
    }
  }

  /// The tier that the walk is over.
  public var tier: WalkTier
  /// The reads and the time spent on it so far, and the time at which it began.
  public var walk: MirrorWalk
  /// The list that it is in.
  public var status: ReferralStatus
  /// The time from which on it asks for more of that list.
  public var from: Timestamp?
  /// The time in the list at which its last page ended.
  public var boundary: Timestamp?
  /// The instant that it is in.
  public var instant: Instant?
  /// The newest conversion when it began, where that was looked for.
  public var newestConversion: Timestamp?

  /// Makes a place from its values.
  public init(
    tier: WalkTier, walk: MirrorWalk, status: ReferralStatus, from: Timestamp?, boundary: Timestamp?,
    instant: Instant?, newestConversion: Timestamp?
  ) {
    (self.tier, self.walk, self.status) = (tier, walk, status)
    (self.from, self.boundary, self.instant) = (from, boundary, instant)
    self.newestConversion = newestConversion
  }
}
