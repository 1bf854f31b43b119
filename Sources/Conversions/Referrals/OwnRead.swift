/// The last time that a referral was read by its own GET, which lists lag behind: one read from a replica, or out of a
/// cache, shows it as it was.
public struct OwnRead: Hashable, Sendable {
  /// The time for which a referral's own GET outranks lists.
  private static let outranksFor = Duration.seconds(900)
  /// The time for which a referral's own GET outranks a list that shows its earlier keys: a partner may put those back.
  private static let outranksEarlierFor = Duration.seconds(60)

  /// The time of the GET.
  public var readAt: Timestamp
  /// The state that it put an end to; nil where it showed what was known.
  public var ended: ContentDigest?

  /// Makes one from its values.
  public init(readAt: Timestamp, ended: ContentDigest?) { (self.readAt, self.ended) = (readAt, ended) }

  /// Returns true if a list shows the referral, shortly after its own GET, as it had been earlier: in an earlier stage of
  /// its life, without a key that it has, or just as it was known until then.
  public func outranks(_ listed: MirroredReferral, known: MirroredReferral) -> Bool {
    guard readAt <= listed.seenAt, listed.seenAt - readAt < Self.outranksFor else { return false }
    return listed.status.stage < known.status.stage || (listed.email == nil && known.email != nil)
      || (listed.externalSourceID == nil && known.externalSourceID != nil)
      || (ended == listed.stateDigest && listed.seenAt - readAt < Self.outranksEarlierFor)
  }
}

extension MirroredReferral {
  /// The digest of its status and its keys.
  public var stateDigest: ContentDigest {
    var digest = ContentDigest()
    for text in [status.rawValue, email?.text, externalSourceID?.text] { digest.combine(text) }
    return digest
  }
}

extension ReferralStatus {
  /// The place in the order of life; no referral goes back.
  fileprivate var stage: Int {
    switch self {
    case .clicked: 0
    case .pending: 1
    case .converted, .expired: 2
    }
  }
}
