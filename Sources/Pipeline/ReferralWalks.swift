import Conversions

/// What the walks over the API's list have in common, whoever does them: what was done since the ledger was last told,
/// how far everybody is known by it, and the walk back to there that several orders may wait for.
public actor ReferralWalks {
  private var walks: [MirrorTier: MirrorWalk] = [:]
  private var lastAnswerAt: Timestamp?
  private var clock = ClockComparison()
  /// What the ledger knew when it had changed so often.
  private var stored: (changes: UInt64, progress: MirrorProgress)?

  /// Those of which the log was told that they can't be read, by their IDs, and why.
  private var unreadable: [ReferralID: String] = [:]

  /// So many that can't be read are told by name.
  private static let unreadableMax = 1000

  /// Nothing done yet.
  public init() {}

  /// Whether the log was not told yet of a referral that can't be read; those without an ID are one to it.
  func isNew(unreadable id: ReferralID?, _ fault: String) -> Bool {
    let id = id ?? ReferralID("")
    guard unreadable[id] != fault, unreadable.count < Self.unreadableMax || unreadable[id] != nil else { return false }
    unreadable[id] = fault
    return true
  }

  /// Whether a list showed a referral that can't be read.
  func isUnreadable(_ id: ReferralID) -> Bool { unreadable[id] != nil }

  /// What the ledger wasn't told yet.
  struct Untold: Sendable {
    fileprivate let walks: [MirrorTier: MirrorWalk]
    fileprivate let lastAnswerAt: Timestamp?
    fileprivate let clockAhead: Duration?

    /// What the ledger knows, with this.
    func completing(_ progress: MirrorProgress) -> MirrorProgress {
      var progress = progress
      progress.walks.merge(walks) { $1 }
      progress.lastAnswerAt = lastAnswerAt ?? progress.lastAnswerAt
      progress.clockAhead = clockAhead ?? progress.clockAhead
      return progress
    }
  }

  /// What the ledger wasn't told yet.
  var untold: Untold {
    Untold(walks: walks, lastAnswerAt: lastAnswerAt, clockAhead: clock.ahead)
  }

  /// What a ledger knows, which is looked into only where it has changed: an idle mirror leaves it alone.
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
  func note(_ walk: MirrorWalk, of tier: MirrorTier) { walks[tier] = walk }

  /// Has no walk count as done that lies ahead.
  func forgetWhatLiesAhead(of now: Timestamp) { walks = walks.filter { $0.value.beganAt <= now } }
}
