import Conversions
import Logging

/// Open referrals that a full sweep did not show: whether they are few enough to be believed, and asking for each.
struct AbsentReferrals: Sendable {
  /// How many are asked for after each sweep, those first that were longest not asked for.
  static let askedMax = 200
  /// The same while the list is distrusted, and swept often.
  private static let askedInDoubtMax = 20
  /// After this long an absence is no sign of a fault any more, however many there are: each is asked for then.
  static let alarmLasts = Duration.seconds(7 * 86_400)

  let surroundings: Surroundings

  /// Notes what a sweep has not shown; a fault where that is too much to be believed.
  static func judge(_ transaction: any LedgerTransaction, sweep: Timestamp) throws -> String? {
    let count = try transaction.noteAbsences(from: sweep, mournedUntil: sweep - alarmLasts)
    return count.isMass ? "its lists leave out \(count.absent) of \(count.open) open referrals" : nil
  }

  /// Those to ask for after a sweep.
  func next(after sweep: Timestamp) async throws -> [ReferralID] {
    try await surroundings.ledger.transaction { transaction in
      let isInDoubt = try transaction.mirrorProgress().distrust != nil
      return try transaction.openReferrals(
        unseenSince: sweep, limit: isInDoubt ? Self.askedInDoubtMax : Self.askedMax)
    }
  }

  /// Asks for one, and stores what the API says: how it is, or that it isn't any more.
  func ask(_ id: ReferralID) async throws {
    let now = surroundings.clock.now
    try await surroundings.ledger.transaction { try $0.noteAsked(id, at: now) }
    do {
      try await ReferralReading(surroundings: surroundings).referral(id)
    } catch let failure as ReadFailure where failure.status == 404 && failure.code == "NOT_FOUND" {
      try await bury(id)
    } catch let failure as ReadFailure where failure.status == 200 {
      // Lists show it, and it can't be read: that was told.
      guard await surroundings.referralWalks.isUnreadable(id) else { throw failure }
    }
  }

  /// Two witnesses, the lists and the answer, say that it is gone. Not while there is reason to doubt them: another
  /// account's API knows none of ours.
  private func bury(_ id: ReferralID) async throws {
    let now = surroundings.clock.now
    let isGone = try await surroundings.ledger.transaction { transaction -> Bool in
      guard let since = try transaction.absentSince(id), try transaction.laneHalt() == nil else { return false }
      guard try transaction.mirrorProgress().distrust == nil || now - since > Self.alarmLasts else { return false }
      try transaction.markGone(id, at: now)
      return true
    }
    guard isGone else { return }
    surroundings.log.event(
      .referralGone, .notice, "the API doesn't know referral \(id) any more; no order is matched to it",
      ["referral": id.text])
    surroundings.matchingBell.ring()
  }
}
