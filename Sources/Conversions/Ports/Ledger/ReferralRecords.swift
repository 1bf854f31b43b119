/// Records of the mirror.
public protocol ReferralRecords {
  /// Returns a referral as it was last seen.
  func referral(_ id: ReferralID) throws -> MirroredReferral?
  /// Returns the time at which a referral was last seen.
  func seenAt(of id: ReferralID) throws -> Timestamp?
  /// Stores a referral as an answer showed it, and marks every order that it matters to for another decision; returns
  /// true if it changed.
  ///
  /// An unchanged one is not written where it was seen at or after `unlessSeenSince`. An answer that was asked for
  /// (`askedAt`) before another closed it doesn't open it again (`MirroredReferral.isReopened`).
  ///
  /// A referral's own GET (`isByItself`) outranks lists for a while (`OwnRead`): one that shows the state before it
  /// changes nothing then but the time at which the referral was seen.
  func record(
    _ referral: Referral, seenAt: Timestamp, askedAt: Timestamp, unlessSeenSince: Timestamp, isByItself: Bool
  ) throws -> Bool
  /// Returns the state of the mirror as a whole.
  func mirrorProgress() throws -> MirrorProgress
  /// Stores the state of the mirror as a whole.
  func setMirrorProgress(_ progress: MirrorProgress) throws
  /// Marks for a decision at once the orders that wait for nothing but a complete walk which began after they were seen.
  func wakeOrdersBehindMirror() throws
  /// Returns open referrals that were last seen before a time; those come first that were longest not asked for one by
  /// one.
  func openReferrals(unseenSince time: Timestamp, limit: Int) throws -> [ReferralID]
  /// Notes the open referrals that a complete sweep which began at a time has not shown; counts those of them that were
  /// shown after `mournedUntil`, and all open ones.
  func noteAbsences(from sweep: Timestamp, mournedUntil: Timestamp) throws -> AbsenceCount
  /// Notes that a referral was asked for by its ID.
  func noteAsked(_ id: ReferralID, at now: Timestamp) throws
  /// Returns the time since which the sweeps have not shown a referral; nil where the last one showed it.
  func absentSince(_ id: ReferralID) throws -> Timestamp?
  /// Marks a referral that the API doesn't know any more: it stays known and takes no part any more. Any answer that
  /// shows it takes the mark back. A converted one still counts: absence reopens nothing. The orders that share a key with
  /// it, or wait for it behind another, are decided again.
  func markGone(_ id: ReferralID, at now: Timestamp) throws
  /// Returns referrals that the API surely knows if it is the account this ledger belongs to: those of the last
  /// reports, and at least one of those that orders are queued for, as reported ones may have been deleted; then open
  /// ones that were last seen before a time, as another account's lists may have been read since.
  func knownReferrals(limit: Int, seenBefore time: Timestamp) throws -> [ReferralID]
  /// Returns the time at which the oldest referral was made that a conversion can still be reported for.
  func oldestOpenReferral() throws -> Timestamp?
  /// Counts the referrals of each status.
  func referralCounts() throws -> [ReferralStatus: Int]
}

extension ReferralRecords {
  /// Changes the state of the mirror as a whole; writes nothing where it stays as it was.
  public func changeMirrorProgress(_ change: (inout MirrorProgress) -> Void) throws {
    let before = try mirrorProgress()
    var progress = before
    change(&progress)
    if progress != before { try setMirrorProgress(progress) }
  }

  /// Stores a referral as its own GET has just shown it.
  public func record(_ referral: Referral, seenAt: Timestamp) throws -> Bool {
    try record(
      referral, seenAt: seenAt, askedAt: seenAt, unlessSeenSince: Timestamp(microseconds: .max), isByItself: true)
  }

  /// Stores a referral as a list showed it.
  public func record(
    _ referral: Referral, seenAt: Timestamp, askedAt: Timestamp, unlessSeenSince: Timestamp
  ) throws -> Bool {
    try record(
      referral, seenAt: seenAt, askedAt: askedAt, unlessSeenSince: unlessSeenSince, isByItself: false)
  }
}
