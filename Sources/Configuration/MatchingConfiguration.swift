extension Configuration {
  /// The keys under `matching:`.
  public struct Matching: Sendable, Equatable {
    /// What orders and referrals are matched by, in order of precedence.
    public var keys: [Key] = [.externalSourceID, .email]
    /// Which referral is taken when several match one order.
    public var choose = Choice.first
    /// How long after the referral was made the order may be placed.
    public var attributionWindow = Duration.seconds(90 * 86_400)
    /// How long an unmatched order is tried again, counted from when it was placed.
    public var waitForReferral = Duration.seconds(14 * 86_400)
    /// What becomes of an order whose buyer is its referrer.
    public var selfReferral = SelfReferral.review

    /// The documented defaults.
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

  /// Which of several matching referrals is taken.
  public enum Choice: String, Sendable, CaseIterable {
    /// The one made first.
    case first
    /// The one made last.
    case last
  }

  /// What becomes of an order whose buyer is its referrer.
  public enum SelfReferral: String, Sendable, CaseIterable {
    /// A person decides.
    case review
    /// It is reported like any other.
    case report
  }
}
