/// Finds referrals that can't stand beside each other.
enum SeedUniqueness {
  /// A referral's index, the field that clashes, and the index of the first that has the same.
  typealias Clash = (index: Int, field: String, first: Int)

  /// Every repeated ID, repeated pair of referrer and friend, and transaction ID used twice by one partner.
  static func clashes(in referrals: [SandboxReferral]) -> [Clash] {
    var seen: [[String]: Int] = [:]
    var clashes: [Clash] = []
    for (index, referral) in referrals.enumerated() {
      for (field, key) in keys(of: referral) {
        if let first = seen[key] {
          clashes.append((index, field, first))
        } else {
          seen[key] = index
        }
      }
    }
    return clashes
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
