/// Finds referrals that can't stand beside each other.
enum SeedUniqueness {
  /// A repeated ID, a repeated pair of referrer and friend, or a transaction ID used twice by one partner.
  static func issues(of referrals: [SandboxReferral]) -> [SandboxSeed.Issue] {
    var seen: [[String]: Int] = [:]
    var issues: [SandboxSeed.Issue] = []
    for (index, referral) in referrals.enumerated() {
      for (field, key) in keys(of: referral) {
        if let first = seen[key] {
          issues.append(.init(place: "referrals[\(index)].\(field)", message: "The same as in referrals[\(first)]"))
        } else {
          seen[key] = index
        }
      }
    }
    return issues
  }

  private static func keys(of referral: SandboxReferral) -> [(field: String, key: [String])] {
    var keys: [(field: String, key: [String])] = []
    if !referral.referralID.isEmpty { keys.append(("referralId", ["id", referral.referralID])) }
    if let referrer = referral.referrerIdentifier, let friend = referral.friendEmail {
      keys.append(("friendEmail", ["pair", referral.partner, referrer, friend]))
    }
    if let transaction = referral.externalTransactionID {
      keys.append(("externalTransactionId", ["transaction", referral.partner, transaction]))
    }
    return keys
  }
}
