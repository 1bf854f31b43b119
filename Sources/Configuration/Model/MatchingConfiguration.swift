extension Configuration {
  /// The keys under `matching:`.
  public struct Matching: Sendable, Equatable {
    /// The keys that orders and referrals are matched by, in order of precedence.
    public var keys: [Key] = [.externalSourceID, .email]
    /// The choice of the referral when several match one order.
    public var choose = Choice.first
    /// The time after the referral was made in which the order may be placed.
    public var attributionWindow = Duration.seconds(90 * 86_400)
    /// The time for which an unmatched order is tried again, counted from when it was placed.
    public var waitForReferral = Duration.seconds(14 * 86_400)
    /// The treatment of an order whose buyer is its referrer.
    public var selfReferral = SelfReferral.review

    /// Sets the documented defaults.
    public init() {}
  }
}

extension Configuration.Matching {
  /// Something that an order and a referral have in common.
  public enum Key: String, Sendable, CaseIterable {
    /// The partner's own identifier, compared exactly.
    case externalSourceID = "external_source_id"
    /// The e-mail address, compared in its normal form.
    case email
  }

  /// The choice among several matching referrals.
  public enum Choice: String, Sendable, CaseIterable {
    /// The one made first.
    case first
    /// The one made last.
    case last
  }

  /// The treatment of an order whose buyer is its referrer.
  public enum SelfReferral: String, Sendable, CaseIterable {
    /// A person decides.
    case review
    /// It is reported like any other.
    case report
  }
}
