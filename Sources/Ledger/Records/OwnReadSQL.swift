import Conversions
import GRDB

/// Referrals that were read by themselves.
extension SQLiteTransaction {
  /// Notes a referral's own GET, and what it put an end to.
  func noteRead(_ referral: MirroredReferral, over earlier: MirroredReferral?) throws {
    try execute(
      "UPDATE referrals SET read_at = ?, read_over = coalesce(?, read_over) WHERE id = ?",
      [referral.seenAt.microseconds, earlier?.stateDigest.bits, referral.id.text])
  }

  /// Notes that a list showed a referral, as it was before.
  func noteShown(_ referral: MirroredReferral) throws {
    try execute(
      "UPDATE referrals SET seen_at = max(seen_at, ?), absent_since = NULL, gone_at = NULL WHERE id = ?",
      [referral.seenAt.microseconds, referral.id.text])
  }

  /// Returns the last time that a referral was read by itself; nil for never.
  func ownRead(of id: ReferralID) throws -> OwnRead? {
    try first("SELECT read_at, read_over FROM referrals WHERE id = ?", [id.text]) { row in
      row.time(0).map { OwnRead(readAt: $0, ended: row.integer(1).map(ContentDigest.init(bits:))) }
    } ?? nil
  }
}
