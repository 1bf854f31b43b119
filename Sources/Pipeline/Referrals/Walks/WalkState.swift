import Conversions

/// The state that all walks over the API's list share: what was done since the ledger was last told, the API's clock,
/// and the referrals that can't be read.
public actor WalkState {
  private var walks: [WalkTier: MirrorWalk] = [:]
  private var lastAnswerAt: Timestamp?
  private var clock = ClockComparison()
  /// The ledger's progress, with its count of changes when that was read.
  private var stored: (changes: UInt64, progress: MirrorProgress)?

  /// The referrals that can't be read, by their IDs, as last shown.
  private var unreadable: [ReferralID: UnreadableReferral] = [:]

  /// The most referrals that can't be read of which anything is known.
  private static let unreadableMax = 1000

  /// Begins with nothing done.
  public init() {}

  /// Notes a referral that can't be read; those without an ID count as one.
  ///
  /// - Returns: True if it is new, or its fault is.
  func note(_ referral: UnreadableReferral) -> Bool {
    let id = referral.id ?? ReferralID("")
    let known = unreadable[id]
    guard known != nil || unreadable.count < Self.unreadableMax else { return false }
    unreadable[id] = referral
    return known?.fault != referral.fault
  }

  /// Forgets that referrals could not be read which an answer shows whole.
  func note(readable referrals: [Referral]) {
    guard !unreadable.isEmpty else { return }
    for referral in referrals { unreadable[referral.id] = nil }
  }

  /// Returns a referral that can't be read and holds one of an order's keys.
  func unreadable(holding keys: [(key: MatchingKey, text: String)]) -> UnreadableReferral? {
    unreadable.values.first { referral in keys.contains { referral.holds($0.key, $0.text) } }
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
