/// What is to become of an order, decided from what the ledger knows. Pure: the same facts give the same decision.
public struct Decision: Hashable, Sendable {
  /// The state it goes to.
  public var outcome: Outcome
  /// Why, in a code that can be searched for; nil where the outcome says it all.
  public var reason: String?
  /// Why, in a sentence.
  public var detail: String?
  /// The referral it was matched to.
  public var referralID: ReferralID?
  /// Whether it holds that referral against rivals.
  public var claims: Bool = false
  /// Whether another order holds that referral, and loses it to this one.
  public var displaces: Bool = false
  /// The value to report, in cents.
  public var value: Int64?
  /// When to decide again if nothing changes.
  public var lookAgainAt: Timestamp?
  /// Every candidate and what became of it.
  public var candidates: [Attribution.Candidate] = []

  /// A decision without a referral.
  public init(_ outcome: Outcome, reason: String? = nil, detail: String? = nil, lookAgainAt: Timestamp? = nil) {
    self.outcome = outcome
    self.reason = reason
    self.detail = detail
    self.lookAgainAt = lookAgainAt
  }

  /// A decision that a person must look, keeping hold of a referral or not.
  public init(review reason: ReviewReason, _ detail: String, referralID: ReferralID? = nil, claims: Bool = false) {
    outcome = .review
    self.reason = reason.rawValue
    self.detail = detail
    self.referralID = referralID
    self.claims = claims
  }
}

/// Reasons that are no review reasons. The spelling is shown to operators.
public enum DecisionReason {
  /// `reporting.hold` is not over, or the span that `placed_at` may mean.
  public static let hold = "hold"
  /// Nothing matches yet, and it is still early.
  public static let noReferralYet = "no_referral_yet"
  /// Nothing matches, and the mirror has not been complete since the order was seen.
  public static let mirrorIncomplete = "mirror_incomplete"
  /// Its referral was converted already, for all that is known, but not all that were made before the order was seen are.
  public static let mirrorBehind = "mirror_behind"
  /// Another order holds the referral.
  public static let behindOther = "behind_other_order"
  /// The referral was converted already.
  public static let alreadyConverted = "already_converted"
  /// The order does not qualify any more.
  public static let noLongerQualifies = "no_longer_qualifies"
  /// The row is gone, or no longer an order.
  public static let gone = "gone"
}

/// The facts beside the order itself on which a decision rests.
public struct DecisionContext: Hashable, Sendable {
  /// The order that holds the chosen referral now.
  public struct Holder: Hashable, Sendable {
    /// Its number.
    public var entry: EntryID
    /// Its key.
    public var key: OrderKey
    /// When it was placed.
    public var placedAt: PlacedAt
    /// Where it stands.
    public var outcome: Outcome
    /// Whether its report is frozen: then nothing can outrank it.
    public var isFrozen: Bool

    /// The order that holds a referral.
    public init(entry: EntryID, key: OrderKey, placedAt: PlacedAt, outcome: Outcome, isFrozen: Bool) {
      self.entry = entry
      self.key = key
      self.placedAt = placedAt
      self.outcome = outcome
      self.isFrozen = isFrozen
    }
  }

  /// Wall-clock time.
  public var now: Timestamp
  /// When the order was first seen.
  public var firstSeenAt: Timestamp
  /// Whether it had qualified, or been matched, before.
  public var hadQualified: Bool
  /// Whether another row has the same transaction ID.
  public var idIsRepeated: Bool
  /// Up to when every referral that was made is known.
  public var referralsKnownTo: Timestamp?
  /// When the last complete and trusted sweep of the referrals began.
  public var mirrorCompleteSince: Timestamp?
  /// Whether the first walk over the orders is still under way.
  public var isCatchingUp: Bool

  /// Facts as the ledger knows them.
  public init(
    now: Timestamp, firstSeenAt: Timestamp, hadQualified: Bool, idIsRepeated: Bool,
    referralsKnownTo: Timestamp?, mirrorCompleteSince: Timestamp?, isCatchingUp: Bool
  ) {
    self.now = now
    self.firstSeenAt = firstSeenAt
    self.hadQualified = hadQualified
    self.idIsRepeated = idIsRepeated
    self.referralsKnownTo = referralsKnownTo
    self.mirrorCompleteSince = mirrorCompleteSince
    self.isCatchingUp = isCatchingUp
  }
}
