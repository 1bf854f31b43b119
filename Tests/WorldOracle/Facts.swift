/// A referral as the API shows it.
struct ReferralFact: Hashable, Sendable {
  var id: String
  var status: String
  var email: String?
  var external: String?
  var referrer: String?
  var madeAt: Int64
  var expiredAt: Int64?
}

/// A row of the shop's table.
struct OrderFact: Hashable, Sendable {
  var id: String
  var email: String?
  var external: String?
  var cents: Int64
  var qualifies: Bool
  var placedAt: Int64
}

/// The configuration in force.
struct RuleFacts: Hashable, Sendable {
  /// In order of precedence.
  var keys: [WorldFacts.Key]
  var takesLast: Bool
  var window: Int64
  var hold: Int64
  var reviewsSelf: Bool
}

/// One order's report for one referral.
struct Payment: Hashable, Sendable {
  var order: String
  var referral: String
  var cents: Int64?
}
