/// Up to when every referral that was made is known, by the host's clock.
///
/// A walk over the open referrals of the last quarter of an hour tells nothing of what was made before them. After an
/// hour without an answer it would leave three quarters of it unread, and an order be reported for an older referral of
/// the same friend. So a walk moves the horizon to its own beginning only where it reaches back to the horizon.
///
/// Nor does it show who was made and converted between two of its kind. The newest conversions do, read by a walk that
/// begins when the other has ended: whoever was made before the other began was shown by it, or is shown by this one.
public struct ReferralHorizon: Hashable, Sendable, Codable {
  /// A walk that came to its end.
  public struct Walk: Hashable, Sendable {
    /// What it was over.
    public var tier: MirrorTier
    /// Whether it went the safe mode's way, which shows whatever has become of a referral.
    public var isSafe: Bool
    /// When its first request was sent.
    public var beganAt: Timestamp
    /// What the horizon was then.
    public var horizon: ReferralHorizon

    /// A walk from its values.
    public init(_ tier: MirrorTier, isSafe: Bool = false, beganAt: Timestamp, horizon: ReferralHorizon) {
      (self.tier, self.isSafe, self.beganAt, self.horizon) = (tier, isSafe, beganAt, horizon)
    }
  }

  /// How much further than to the horizon a walk must reach: the API's clock may have been read wrongly.
  private static let overlap = Duration.seconds(60)

  /// Up to when all are known that were open ever since.
  private var open: Timestamp?
  /// Up to when all are known.
  private var all: Timestamp?

  /// Nothing known.
  public init() {}

  /// Up to when all are known that were open ever since; nil before the first walk over all of them, and where the clock
  /// was set back behind it, as nobody knows then when that was.
  public func open(now: Timestamp) -> Timestamp? { open.flatMap { $0 <= now ? $0 : nil } }

  /// Up to when all are known, whatever has become of them; nil as above.
  public func all(now: Timestamp) -> Timestamp? { all.flatMap { $0 <= now ? $0 : nil } }

  /// Takes in a walk.
  public mutating func take(_ walk: Walk, now: Timestamp) {
    guard walk.beganAt <= now else { return }
    let (open, all) = (self.open(now: now), self.all(now: now))
    switch (walk.tier, walk.isSafe) {
    case (.conversions, _):
      if let shown = walk.horizon.open(now: now) { self.all = max(shown, all ?? shown) }
      return
    // In the order of life, so that nobody passes it by.
    case (.full, false): self.all = max(walk.beganAt, all ?? walk.beganAt)
    case (_, true): if Self.reaches(all, walk.tier, walk.beganAt) { self.all = max(walk.beganAt, all ?? walk.beganAt) }
    default: break
    }
    if Self.reaches(open, walk.tier, walk.beganAt) { self.open = max(walk.beganAt, open ?? walk.beganAt) }
  }

  /// What the walks must reach back to: the safe mode's show the converted ones as well.
  public func reached(isSafe: Bool, now: Timestamp) -> Timestamp? { isSafe ? all(now: now) : open(now: now) }

  /// The smallest walk that reaches back to the horizon if it begins now. In peace it is the smallest there is.
  public func walk(isSafe: Bool, now: Timestamp) -> MirrorTier {
    let known = reached(isSafe: isSafe, now: now)
    return MirrorTier.byAge.first { Self.reaches(known, $0, now) } ?? .open
  }

  private static func reaches(_ known: Timestamp?, _ tier: MirrorTier, _ beganAt: Timestamp) -> Bool {
    guard let age = tier.ageMax else { return true }
    return known.map { beganAt - age + overlap <= $0 } ?? false
  }

  /// What walks come to of which it isn't known what the horizon was when they began.
  init(of walks: [MirrorTier: MirrorWalk]) {
    let inOrder = walks.sorted { ($0.value.beganAt, $0.key.rawValue) < ($1.value.beganAt, $1.key.rawValue) }
    for (tier, walk) in inOrder {
      take(Walk(tier, beganAt: walk.beganAt, horizon: ReferralHorizon()), now: walk.beganAt)
    }
  }
}

extension MirrorProgress {
  /// Up to when every referral that was made is known; nil for nobody knows.
  public func referralsKnownTo(now: Timestamp) -> Timestamp? { horizon.all(now: now) }

  /// The smallest walk that reaches back to the horizon if it begins now.
  public func walkToHorizon(now: Timestamp) -> MirrorTier { horizon.walk(isSafe: distrust != nil, now: now) }
}
