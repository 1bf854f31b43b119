/// A rule that orders faults: the requests, the number of times, and the fault.
public struct SandboxFaultRule: Sendable, Hashable {
  /// The requests that a rule matches; a property that is left out matches any.
  public struct Match: Sendable, Hashable {
    /// The method, in capitals.
    public var method: String?
    /// The beginning of the raw path.
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

  /// The requests that it matches.
  public var match: Match
  /// The number of them that are let through first.
  public var after: Int
  /// The number of them that it strikes then; `nil` never stops.
  public var times: Int?
  /// The probability that it strikes one that it matches, 0 to 1; drawn from the sandbox's seed.
  public var probability: Double
  /// The fault that it makes.
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
