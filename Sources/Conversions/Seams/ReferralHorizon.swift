/// Up to when every referral that was made is known: the mirror's horizon.
///
/// A walk over the open referrals of the last quarter of an hour tells nothing of what was made before them. After an
/// hour without an answer it would leave three quarters of it unread, and an order be reported for an older referral of
/// the same friend. So a walk moves the horizon to its own beginning only where it reaches back to the horizon. Who was
/// made and converted between two walks is shown by none of them, but by the one over the newest conversions.
extension MirrorProgress {
  /// How much further than to the horizon a walk must reach: the API's clock may have been read wrongly.
  private static let overlap = Duration.seconds(60)

  /// The horizon, by the host's clock; nil before the first walk over all open referrals, and where the clock was set back
  /// behind it, as nobody knows then when that was.
  public func horizon(now: Timestamp) -> Timestamp? {
    guard let open = openHorizon(now: now) else { return nil }
    // The safe mode's walks show whatever has become of a referral.
    guard distrust == nil else { return open }
    return conversionsHorizon(now: now).map { min(open, $0) }
  }

  /// The same for open referrals alone.
  public func openHorizon(now: Timestamp) -> Timestamp? { openKnownTo.flatMap { $0 <= now ? $0 : nil } }

  /// The same for converted ones alone.
  public func conversionsHorizon(now: Timestamp) -> Timestamp? { conversionsReadAt.flatMap { $0 <= now ? $0 : nil } }

  /// Takes in a walk that came to its end.
  public mutating func moveHorizon(_ walk: MirrorWalk, of tier: MirrorTier, now: Timestamp) {
    guard walk.beganAt <= now else { return }
    if tier.covers(.conversions) {
      conversionsReadAt = max(walk.beganAt, conversionsHorizon(now: now) ?? walk.beganAt)
    }
    let known = openHorizon(now: now)
    guard tier != .conversions, Self.reaches(known, tier, beganAt: walk.beganAt) else { return }
    openKnownTo = max(walk.beganAt, known ?? walk.beganAt)
  }

  /// Takes over what is known later than this.
  public mutating func takeHorizon(of later: MirrorProgress) {
    openKnownTo = later.openKnownTo ?? openKnownTo
    conversionsReadAt = later.conversionsReadAt ?? conversionsReadAt
  }

  /// The smallest walk over open referrals that reaches back to the horizon if it begins now. In peace it is the smallest
  /// there is.
  public func walkToHorizon(now: Timestamp) -> MirrorTier {
    let known = openHorizon(now: now)
    return MirrorTier.byAge.first { Self.reaches(known, $0, beganAt: now) } ?? .open
  }

  private static func reaches(_ known: Timestamp?, _ tier: MirrorTier, beganAt: Timestamp) -> Bool {
    guard let age = tier.ageMax else { return true }
    return known.map { beganAt - age + overlap <= $0 } ?? false
  }

  /// What the walks that an older version stored come to, as it stored no horizon.
  mutating func deriveHorizon() {
    let stored = walks.sorted { ($0.value.beganAt, $0.key.rawValue) < ($1.value.beganAt, $1.key.rawValue) }
    for (tier, walk) in stored { moveHorizon(walk, of: tier, now: walk.beganAt) }
  }
}
