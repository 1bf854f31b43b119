/// How the mirror as a whole stands. Kept in the ledger; what an older version stored can be read.
public struct MirrorProgress: Hashable, Sendable, Codable {
  /// When the last complete and trusted sweep of all four lists began; "no referral" rests on this. Survives a restart.
  public var completeSweepBeganAt: Timestamp?
  /// When it ended.
  public var completeSweepEndedAt: Timestamp?
  /// Since when, in this run of the daemon, the mirror is as fresh as its periods promise; nil before.
  public var currentSince: Timestamp?
  /// When somebody last asked for a full sweep ahead of its time; ring the mirror's bell after setting it.
  public var fullSweepWantedAt: Timestamp?
  /// When the last complete and trusted walk began that showed all open referrals, and the newest conversions when those
  /// were read; a full sweep does as well. Nothing is said for good without a send of an order that was seen later. Nil
  /// while the list can't be trusted, and once the clock was set. Survives a restart.
  public var openWalkBeganAt: Timestamp?
  /// When the newest order was seen that waits for such a walk; see `LedgerTransaction.wantOpenWalk`.
  public var openWalkWantedAt: Timestamp?
  /// Where the longest walk is that goes on; stored once a minute.
  public var place: WalkPlace?
  /// When the API last answered a read; stored about once a minute.
  public var lastAnswerAt: Timestamp?
  /// Why the API's list can't be trusted, if it can't: the mirror reads in its safe mode then.
  public var distrust: String?
  /// The last walk of each tier.
  public var walks: [MirrorTier: MirrorWalk] = [:]
  /// The newest `convertedAt`, by the API's clock, up to which every conversion is known.
  public var conversionsKnownTo: Timestamp?
  /// How far the API's clock is ahead of the host's, smoothed over its answers' Date headers, which have whole seconds.
  public var clockAhead: Duration?

  /// Nothing yet.
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
    walks = try values.decodeIfPresent([MirrorTier: MirrorWalk].self, forKey: .walks) ?? [:]
    conversionsKnownTo = try values.decodeIfPresent(Timestamp.self, forKey: .conversionsKnownTo)
    clockAhead = try values.decodeIfPresent(Duration.self, forKey: .clockAhead)
  }

  /// When the last complete walk began that showed everything that one of `tier` would; nil where there was none, or
  /// where the clock was set back behind it.
  public func walkBegan(_ tier: MirrorTier, now: Timestamp) -> Timestamp? {
    walks.filter { $0.key.covers(tier) && $0.value.beganAt <= now }.map(\.value.beganAt).max()
  }
}
