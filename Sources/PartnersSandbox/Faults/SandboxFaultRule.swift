/// An order for faults: which requests, how often, and what goes wrong.
public struct SandboxFaultRule: Sendable, Hashable {
  /// Which requests a rule means; what is left out means any.
  public struct Match: Sendable, Hashable {
    /// The method, in capitals.
    public var method: String?
    /// How the raw path begins.
    public var pathPrefix: String?
    /// The referral that the path names.
    public var referralID: String?
    /// The `externalTransactionId` in the body.
    public var transactionID: String?

    /// Creates a match.
    public init(
      method: String? = nil, pathPrefix: String? = nil, referralID: String? = nil, transactionID: String? = nil
    ) {
      self.method = method
      self.pathPrefix = pathPrefix
      self.referralID = referralID
      self.transactionID = transactionID
    }

    /// Every request to the API.
    public static let any = Match()
    /// Every report of a conversion.
    public static let conversions = Match(method: "POST", pathPrefix: "/api/v1/partners/referrals/")
    /// Every read.
    public static let reads = Match(method: "GET")
  }

  /// Which requests it means.
  public var match: Match
  /// How many of them are let through first.
  public var after: Int
  /// How many it strikes then; `nil` never stops.
  public var times: Int?
  /// How likely it strikes one that it means, 0 to 1; drawn from the sandbox's seed.
  public var probability: Double
  /// What goes wrong.
  public var fault: SandboxFault

  /// Creates a rule; by default it strikes once.
  public init(
    _ fault: SandboxFault, on match: Match = .any, after: Int = 0, times: Int? = 1, probability: Double = 1
  ) {
    self.match = match
    self.after = after
    self.times = times
    self.probability = probability
    self.fault = fault
  }
}
