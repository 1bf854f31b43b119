import Conversions
import Logging

/// Judges if open referrals that a full sweep did not show are few enough to be believed, and asks for each.
struct AbsentReferrals: Sendable {
  /// The most that are asked for after each sweep, those first that were longest not asked for.
  static let askedMax = 200
  /// The same while the list is distrusted, and swept often.
  private static let askedInDoubtMax = 20
  /// The time after which an absence is no sign of a fault any more, however many there are: each is asked for then.
  static let alarmLasts = Duration.seconds(7 * 86_400)

  let context: PipelineContext

  /// Notes what a sweep has not shown; returns a fault if that is too much to be believed.
  static func judge(_ transaction: any LedgerTransaction, sweep: Timestamp) throws -> String? {
    let count = try transaction.noteAbsences(from: sweep, mournedUntil: sweep - alarmLasts)
    return count.isMass ? "its lists leave out \(count.absent) of \(count.open) open referrals" : nil
  }

  /// Returns those to ask for after a sweep.
  func next(after sweep: Timestamp) async throws -> [ReferralID] {
    try await context.ledger.transaction { transaction in
      let isInDoubt = try transaction.mirrorProgress().distrust != nil
      return try transaction.openReferrals(
        unseenSince: sweep, limit: isInDoubt ? Self.askedInDoubtMax : Self.askedMax)
    }
  }

  /// Asks for one, and stores what the API says: its state, or that it is gone.
  func ask(_ id: ReferralID) async throws {
    let now = context.clock.now
    try await context.ledger.transaction { try $0.noteAsked(id, at: now) }
    do {
      try await ReferralReader(context: context).referral(id)
    } catch let failure as ReadFailure where failure.status == 404 && failure.code == APIErrorCode.notFound.rawValue {
      try await markGone(id)
    } catch let failure as ReadFailure where failure.status == 200 {
      // Accepts a referral that lists show and that can't be read: the log was told of it.
      guard await context.referralWalks.isUnreadable(id) else { throw failure }
    }
  }

  /// Marks it as gone, as the lists and the answer both say. Not while there is reason to doubt them: another account's
  /// API knows none of ours.
  private func markGone(_ id: ReferralID) async throws {
    let now = context.clock.now
    let isGone = try await context.ledger.transaction { transaction -> Bool in
      guard let since = try transaction.absentSince(id), try transaction.sendingHalt() == nil else { return false }
      guard try transaction.mirrorProgress().distrust == nil || now - since > Self.alarmLasts else { return false }
      try transaction.markGone(id, at: now)
      return true
    }
    guard isGone else { return }
    context.log.event(
      .referralGone, .notice, "the API doesn't know referral \(id) any more; no order is matched to it",
      ["referral": id.text])
    context.matchingWake.notify()
  }
}
