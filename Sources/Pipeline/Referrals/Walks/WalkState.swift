import Conversions

/// The state that all walks over the API's list share: what was done since the ledger was last told, the API's clock,
/// and the referrals that can't be read.
public actor WalkState {
  private var walks: [WalkTier: MirrorWalk] = [:]
  private var lastAnswerAt: Timestamp?
  private var clock = ClockComparison()
  /// The ledger's progress, with its count of changes when that was read.
  private var stored: (changes: UInt64, progress: MirrorProgress)?

  /// The faults of referrals that can't be read, by their IDs, as the log was told.
  private var unreadable: [ReferralID: String] = [:]

  /// The most referrals that can't be read of which the log is told.
  private static let unreadableMax = 1000

  /// Begins with nothing done.
  public init() {}

  /// Returns true if the log was not told yet of a referral that can't be read; those without an ID count as one.
  func isNew(unreadable id: ReferralID?, _ fault: String) -> Bool {
    let id = id ?? ReferralID("")
    guard unreadable[id] != fault, unreadable.count < Self.unreadableMax || unreadable[id] != nil else { return false }
    unreadable[id] = fault
    return true
  }

  /// Returns true if a list showed the referral as one that can't be read.
  func isUnreadable(_ id: ReferralID) -> Bool { unreadable[id] != nil }

  /// The facts that the ledger wasn't told yet.
  struct Untold: Sendable {
    fileprivate let walks: [WalkTier: MirrorWalk]
    fileprivate let lastAnswerAt: Timestamp?
    fileprivate let clockAhead: Duration?

    /// Returns the ledger's progress, completed with these facts.
    func completing(_ progress: MirrorProgress) -> MirrorProgress {
      var progress = progress
      progress.walks.merge(walks) { $1 }
      progress.lastAnswerAt = lastAnswerAt ?? progress.lastAnswerAt
      progress.clockAhead = clockAhead ?? progress.clockAhead
      return progress
    }
  }

  /// The facts that the ledger wasn't told yet.
  var untold: Untold {
    Untold(walks: walks, lastAnswerAt: lastAnswerAt, clockAhead: clock.ahead)
  }

  /// Returns a ledger's progress, which is read only if it has changed: an idle mirror leaves it alone.
  func stored(in ledger: any LedgerStore) async throws -> MirrorProgress {
    let changes = ledger.changes
    if let stored, stored.changes == changes { return stored.progress }
    let progress = try await ledger.transaction { try $0.mirrorProgress() }
    stored = (changes, progress)
    return progress
  }

  /// Notes an answer of the API.
  func note(_ head: AnswerHead, endedAt now: Timestamp) {
    lastAnswerAt = now
    clock.take(head, endedAt: now)
  }

  /// Notes a walk that came to its end, for when the next one is due.
  func note(_ walk: MirrorWalk, of tier: WalkTier) { walks[tier] = walk }

  /// Forgets walks that began in the future.
  func forgetWhatLiesAhead(of now: Timestamp) { walks = walks.filter { $0.value.beganAt <= now } }
}
