/// The kind of key by which an order is matched to a referral.
public enum MatchingKey: String, Sendable, Codable, CaseIterable {
  /// The partner's own reference, exactly.
  case externalSourceID = "external_source_id"
  /// The friend's e-mail in normal form.
  case email
}

/// The rules by which an order gets a referral, as configured under `matching` and `reporting`.
public struct AttributionRules: Hashable, Sendable {
  /// The choice among several matching referrals.
  public enum Choice: String, Sendable, CaseIterable {
    /// The one made first.
    case first
    /// The one made last.
    case last
  }

  /// The treatment of an order whose buyer is its referrer.
  public enum SelfReferral: String, Sendable, CaseIterable {
    /// It goes to review.
    case review
    /// It is reported like any other.
    case report
  }

  /// The kinds of keys, in order of precedence.
  public var keys: [MatchingKey]
  /// The choice among several matching referrals.
  public var choose: Choice
  /// The longest time from the making of a referral to the placing of its order.
  public var attributionWindow: Duration
  /// The time after its placing for which an unmatched order is tried again.
  public var waitForReferral: Duration
  /// The treatment of an order whose buyer is its referrer.
  public var selfReferral: SelfReferral
  /// The time for which an order is kept back after it was placed.
  public var hold: Duration
  /// The rules by which totals become cents.
  public var amounts: AmountRules
  /// The most by which the shop's and the API's clocks may differ without an order losing its referral.
  public var clockSkew: Duration

  /// Rules as configured.
  public init(
    keys: [MatchingKey], choose: Choice, attributionWindow: Duration, waitForReferral: Duration,
    selfReferral: SelfReferral, hold: Duration, amounts: AmountRules, clockSkew: Duration = .zero
  ) {
    self.keys = keys
    self.choose = choose
    self.attributionWindow = attributionWindow
    self.waitForReferral = waitForReferral
    self.selfReferral = selfReferral
    self.hold = hold
    self.amounts = amounts
    self.clockSkew = clockSkew
  }
}
