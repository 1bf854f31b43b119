/// By what an order is matched to a referral.
public enum MatchingKey: String, Sendable, Codable, CaseIterable {
  /// The partner's own reference, exactly.
  case externalSourceID = "external_source_id"
  /// The friend's e-mail in normal form.
  case email
}

/// Which referral gets an order, as configured under `matching` and `reporting`.
public struct AttributionRules: Hashable, Sendable {
  /// Which of several matching referrals is chosen.
  public enum Choice: String, Sendable, CaseIterable {
    /// The one made first.
    case first
    /// The one made last.
    case last
  }

  /// What becomes of an order whose buyer is its referrer.
  public enum SelfReferral: String, Sendable, CaseIterable {
    /// It goes to review.
    case review
    /// It is reported like any other.
    case report
  }

  /// In order of precedence.
  public var keys: [MatchingKey]
  /// Which of several is chosen.
  public var choose: Choice
  /// An order must be placed within this long after the referral was made.
  public var attributionWindow: Duration
  /// An unmatched order is tried again for this long after it was placed.
  public var waitForReferral: Duration
  /// What becomes of an order whose buyer is its referrer.
  public var selfReferral: SelfReferral
  /// How long after it was placed an order is kept back.
  public var hold: Duration
  /// How totals become cents.
  public var amounts: AmountRules
  /// By how much the shop's and the API's clocks may differ without an order losing its referral.
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
