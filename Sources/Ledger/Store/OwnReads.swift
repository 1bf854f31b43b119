import Conversions
import GRDB

/// Referrals that were read by themselves, which lists lag behind: one read from a replica, or out of a cache, shows
/// them as they were.
extension SQLiteTransaction {
  /// The time for which a referral's own GET outranks lists.
  private static let outranksFor = Duration.seconds(900)
  /// The time for which a referral's own GET outranks a list that shows its earlier keys: a partner may put those back.
  private static let outranksEarlierFor = Duration.seconds(60)

  /// Notes a referral's own GET, and what it put an end to.
  func noteRead(_ referral: MirroredReferral, over earlier: MirroredReferral?) throws {
    try execute(
      "UPDATE referrals SET read_at = ?, read_over = coalesce(?, read_over) WHERE id = ?",
      [referral.seenAt.microseconds, earlier.map(Self.digest), referral.id.text])
  }

  /// Notes that a list showed a referral, as it was before.
  func noteShown(_ referral: MirroredReferral) throws {
    try execute(
      "UPDATE referrals SET seen_at = max(seen_at, ?), absent_since = NULL, gone_at = NULL WHERE id = ?",
      [referral.seenAt.microseconds, referral.id.text])
  }

  /// Returns true if a referral's own GET was shortly before a list showed it as it had been earlier: in an earlier
  /// stage of its life, without a key that it has, or just as it was known until then.
  func outranks(_ known: MirroredReferral, _ listed: MirroredReferral) throws -> Bool {
    let select = "SELECT read_at, read_over FROM referrals WHERE id = ?"
    let read = try first(select, [known.id.text]) { ($0.time(0), $0.integer(1)) }
    guard let readAt = read?.0, readAt <= listed.seenAt, listed.seenAt - readAt < Self.outranksFor else { return false }
    return listed.status.stage < known.status.stage || (listed.email == nil && known.email != nil)
      || (listed.externalSourceID == nil && known.externalSourceID != nil)
      || (read?.1 == Self.digest(listed) && listed.seenAt - readAt < Self.outranksEarlierFor)
  }

  private static func digest(_ referral: MirroredReferral) -> Int64 {
    var digest = ContentDigest()
    for text in [referral.status.rawValue, referral.email?.text, referral.externalSourceID?.text] {
      digest.combine(text)
    }
    return digest.bits
  }
}

extension ReferralStatus {
  /// The place in the order of life; no referral goes back.
  fileprivate var stage: Int {
    switch self {
    case .clicked: 0
    case .pending: 1
    case .converted, .expired: 2
    }
  }
}
