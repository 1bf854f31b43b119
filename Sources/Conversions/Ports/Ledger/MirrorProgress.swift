/// The state of the mirror as a whole. Kept in the ledger; what an older version stored can be read.
public struct MirrorProgress: Hashable, Sendable, Codable {
  /// The time at which the last complete and trusted sweep of all four lists began; "no referral" rests on this.
  /// Survives a restart.
  public var completeSweepBeganAt: Timestamp?
  /// The time at which it ended.
  public var completeSweepEndedAt: Timestamp?
  /// The time since when, in this run of the daemon, the mirror is as fresh as its periods promise; nil before.
  public var currentSince: Timestamp?
  /// The time at which a full sweep was last asked for ahead of its time.
  public var fullSweepWantedAt: Timestamp?
  /// The time at which the last complete and trusted walk began that showed all open referrals, and the newest
  /// conversions when those were read; a full sweep does as well. No decision without a send is final for an order seen
  /// later. Nil while the list can't be trusted, and once the clock was set. Survives a restart.
  public var openWalkBeganAt: Timestamp?
  /// The time at which the newest order was seen that waits for such a walk; see `wantOpenWalk`.
  public var openWalkWantedAt: Timestamp?
  /// The place of the longest walk that goes on; stored once a minute.
  public var place: WalkPlace?
  /// The time at which the API last answered a read; stored about once a minute.
  public var lastAnswerAt: Timestamp?
  /// The reason why the API's list can't be trusted, if it can't: the mirror reads in its safe mode then.
  public var distrust: String?
  /// The last walk of each tier.
  public var walks: [WalkTier: MirrorWalk] = [:]
  /// The newest `convertedAt`, by the API's clock, up to which every conversion is known.
  public var conversionsKnownTo: Timestamp?
  /// The time by which the API's clock is ahead of the host's, smoothed over its answers' Date headers, which have
  /// whole seconds.
  public var clockAhead: Duration?

  /// Makes the state before anything was read.
  public init() {}

  /// Reads what any version stored: what is missing is as at the beginning.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    completeSweepBeganAt = try values.decodeIfPresent(Timestamp.self, forKey: .completeSweepBeganAt)
    completeSweepEndedAt = try values.decodeIfPresent(Timestamp.self, forKey: .completeSweepEndedAt)
    currentSince = try values.decodeIfPresent(Timestamp.self, forKey: .currentSince)
    fullSweepWantedAt = try values.decodeIfPresent(Timestamp.self, forKey: .fullSweepWantedAt)
    openWalkBeganAt = try values.decodeIfPresent(Timestamp.self, forKey: .openWalkBeganAt)
    openWalkWantedAt = try values.decodeIfPresent(Timestamp.self, forKey: .openWalkWantedAt)
    place = try? values.decodeIfPresent(WalkPlace.self, forKey: .place)
    lastAnswerAt = try values.decodeIfPresent(Timestamp.self, forKey: .lastAnswerAt)
    distrust = try values.decodeIfPresent(String.self, forKey: .distrust)
    walks = try values.decodeIfPresent([WalkTier: MirrorWalk].self, forKey: .walks) ?? [:]
    conversionsKnownTo = try values.decodeIfPresent(Timestamp.self, forKey: .conversionsKnownTo)
    clockAhead = try values.decodeIfPresent(Duration.self, forKey: .clockAhead)
  }

  /// Asks for a full sweep ahead of its time; notify the mirror's signal once the transaction is committed.
  public mutating func wantFullSweep(at now: Timestamp) { fullSweepWantedAt = now }

  /// Asks for a walk over all open referrals that begins after an order was seen, at `time` that is; one walk serves all
  /// that wait. Notify the mirror's signal once the transaction is committed.
  public mutating func wantOpenWalk(at time: Timestamp) { openWalkWantedAt = max(openWalkWantedAt ?? time, time) }

  /// Returns true if a complete walk ended since `before`: orders that wait for one are to be decided.
  public func hasWalked(since before: Self) -> Bool {
    openWalkBeganAt != nil && openWalkBeganAt != before.openWalkBeganAt
      || completeSweepBeganAt != before.completeSweepBeganAt
  }

  /// Returns the time at which the last complete walk began that showed everything that one of `tier` would; nil where
  /// there was none, or where the clock was set back behind it.
  public func walkBegan(_ tier: WalkTier, now: Timestamp) -> Timestamp? {
    walks.filter { $0.key.covers(tier) && $0.value.beganAt <= now }.map(\.value.beganAt).max()
  }
}
