public import Conversions

extension Configuration {
  /// The keys under `matching:`.
  public struct Matching: Sendable, Equatable {
    /// The keys that orders and referrals are matched by, in order of precedence.
    public var keys: [MatchingKey] = [.externalSourceID, .email]
    /// The choice of the referral when several match one order.
    public var choose = AttributionRules.Choice.first
    /// The time after the referral was made in which the order may be placed.
    public var attributionWindow = Duration.seconds(90 * 86_400)
    /// The time for which an unmatched order is tried again, counted from when it was placed.
    public var waitForReferral = Duration.seconds(14 * 86_400)
    /// The treatment of an order whose buyer is its referrer.
    public var selfReferral = AttributionRules.SelfReferral.review

    /// Sets the documented defaults.
    public init() {}
  }
}
