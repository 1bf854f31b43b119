import Conversions
import GRDB

/// Referrals that the API's lists don't show, although they should be open.
extension SQLiteTransaction {
  private static let open = "\(isOpen) AND gone_at IS NULL"

  func openReferrals(unseenSince time: Timestamp, limit: Int) throws -> [ReferralID] {
    try String.fetchAll(
      db,
      sql: """
        SELECT id FROM \(Self.openReferrals) WHERE \(Self.open) AND seen_at < ?
        ORDER BY coalesce(asked_at, 0), seen_at LIMIT ?
        """, arguments: [time.microseconds, limit]
    ).map(ReferralID.init)
  }

  func noteAbsences(from sweep: Timestamp, mournedUntil: Timestamp) throws -> AbsenceCount {
    try execute(
      """
      UPDATE \(Self.openReferrals) SET absent_since = ?1
      WHERE \(Self.open) AND seen_at < ?1 AND absent_since IS NULL
      """,
      [sweep.microseconds])
    let absent = try Int.fetchOne(
      db,
      sql: """
        SELECT count(*) FROM \(Self.openReferrals)
        WHERE \(Self.open) AND seen_at < ? AND absent_since > ?
        """, arguments: [sweep.microseconds, mournedUntil.microseconds])
    let open = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(Self.openReferrals) WHERE \(Self.open)")
    return AbsenceCount(absent: absent ?? 0, open: open ?? 0)
  }

  func noteAsked(_ id: ReferralID, at now: Timestamp) throws {
    try execute("UPDATE referrals SET asked_at = ? WHERE id = ?", [now.microseconds, id.text])
  }

  func absentSince(_ id: ReferralID) throws -> Timestamp? {
    OrderCoding.time(
      try Int64.fetchOne(db, sql: "SELECT absent_since FROM referrals WHERE id = ?", arguments: [id.text]))
  }

  func markGone(_ id: ReferralID, at now: Timestamp) throws {
    guard let referral = try referral(id), referral.goneAt == nil, referral.status != .converted else { return }
    try execute("UPDATE referrals SET gone_at = ? WHERE id = ?", [now.microseconds, id.text])
    try wakeOrders(sharing: referral.email, referral.externalSourceID)
    try wakeRivals(of: id)
  }
}
