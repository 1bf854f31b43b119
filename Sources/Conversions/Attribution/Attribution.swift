/// The choice of an order's referral among its candidates, with the reason against each other one.
///
/// All referrals that match take part, converted ones too, and one is chosen. The next one is not tried where the
/// chosen one turns out to be converted: a second referrer would be paid for the same friend's first order.
public struct Attribution: Hashable, Sendable {
  /// The judgement on a candidate. The spelling is shown to operators.
  public enum Verdict: String, Sendable, Codable {
    /// It is the order's referral.
    case chosen
    /// The order was placed before the referral was made.
    case placedBefore = "placed_before_referral"
    /// The order was placed longer after the referral than `matching.attribution_window`.
    case placedTooLate = "outside_attribution_window"
    /// It had expired before the order was placed.
    case expiredBefore = "expired_before_order"
    /// Another candidate matched by a key of higher precedence.
    case lowerPrecedence = "lower_precedence"
    /// Another one was made earlier, or later, as `matching.choose` prefers.
    case notPreferred = "not_preferred"
    /// The API doesn't know it any more.
    case gone
  }

  /// A referral that shares a key with the order.
  public struct Candidate: Hashable, Sendable {
    /// The referral.
    public var referral: MirroredReferral
    /// The key of highest precedence by which it matches.
    public var matchedBy: MatchingKey
    /// The judgement on it.
    public var verdict: Verdict
  }

  /// Each referral that matches by a configured key, in order of making.
  public let candidates: [Candidate]

  /// Another candidate that could have been chosen, whose address equals the chosen one's only by invisible marks,
  /// folded letters or IDNA; nil where there is none. The two may be two people, so that neither is to be guessed.
  public let doubtful: Candidate?

  /// The order's referral.
  public var chosen: Candidate? { candidates.first { $0.verdict == .chosen } }

  /// Judges an order against every referral that may share a key with it.
  public init(of order: Order, among referrals: [MirroredReferral], rules: AttributionRules) {
    var found = referrals.compactMap { referral in
      Self.key(of: order, matching: referral, rules: rules).map { key in
        Candidate(referral: referral, matchedBy: key, verdict: Self.timing(of: order, referral: referral, rules: rules))
      }
    }
    found.sort { ($0.referral.createdAt, $0.referral.id) < ($1.referral.createdAt, $1.referral.id) }
    let timely = found.indices.filter { found[$0].verdict == .chosen }
    let best = rules.keys.first { key in timely.contains { found[$0].matchedBy == key } }
    let peers = timely.filter { found[$0].matchedBy == best }
    let winner = rules.choose == .first ? peers.first : peers.last
    for index in timely where index != winner {
      found[index].verdict = found[index].matchedBy == best ? .notPreferred : .lowerPrecedence
    }
    candidates = found
    doubtful = winner.flatMap { Self.doubtful(found[$0], among: peers.map { found[$0] }) }
  }

  private static func doubtful(_ winner: Candidate, among peers: [Candidate]) -> Candidate? {
    guard winner.matchedBy == .email else { return nil }
    return peers.first { $0.referral.email?.written != winner.referral.email?.written }
  }

  private static func key(of order: Order, matching referral: MirroredReferral, rules: AttributionRules) -> MatchingKey?
  {
    rules.keys.first { key in
      switch key {
      case .externalSourceID: order.externalSourceID != nil && order.externalSourceID == referral.externalSourceID
      case .email: order.email != nil && order.email == referral.email
      }
    }
  }

  /// Returns `chosen` for any candidate that could be chosen as far as time goes.
  private static func timing(of order: Order, referral: MirroredReferral, rules: AttributionRules) -> Verdict {
    if referral.goneAt != nil { return .gone }
    if order.placedAt.latest + rules.clockSkew < referral.createdAt { return .placedBefore }
    if order.placedAt.earliest - rules.clockSkew > referral.createdAt + rules.attributionWindow {
      return .placedTooLate
    }
    // The API doesn't tell when a referral expired. Only one that was already seen expired when the order was placed
    // surely takes no part; in doubt it does, and a person is asked if it is chosen.
    if referral.status == .expired, let seen = referral.expiredSeenAt, seen <= order.placedAt.earliest {
      return .expiredBefore
    }
    return .chosen
  }
}
