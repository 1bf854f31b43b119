import Conversions

/// What the walks over the API's list have in common, whoever does them: what was done since the ledger was last told,
/// how far everybody is known by it, and the walk back to there that several orders may wait for.
public actor ReferralWalks {
  private var walks: [MirrorTier: MirrorWalk] = [:]
  /// Nil where the ledger knows it as well.
  private(set) var horizon: ReferralHorizon?
  private var lastAnswerAt: Timestamp?
  private var clock = ClockComparison()
  /// What the ledger knew when it had changed so often.
  private var stored: (changes: UInt64, progress: MirrorProgress)?
  private var underWay: (beganAt: Timestamp, task: Task<Bool, any Error>)?

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
    fileprivate let horizon: ReferralHorizon?
    fileprivate let lastAnswerAt: Timestamp?
    fileprivate let clockAhead: Duration?

    /// What the ledger knows, with this.
    func completing(_ progress: MirrorProgress) -> MirrorProgress {
      var progress = progress
      progress.walks.merge(walks) { $1 }
      progress.horizon = horizon ?? progress.horizon
      progress.lastAnswerAt = lastAnswerAt ?? progress.lastAnswerAt
      progress.clockAhead = clockAhead ?? progress.clockAhead
      return progress
    }
  }

  /// What the ledger wasn't told yet.
  var untold: Untold {
    Untold(walks: walks, horizon: horizon, lastAnswerAt: lastAnswerAt, clockAhead: clock.ahead)
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

  /// Notes what a walk that came to its end tells of everybody; `known` is what the ledger knows.
  func note(_ walk: ReferralHorizon.Walk, _ known: MirrorProgress, now: Timestamp) {
    var later = horizon ?? known.horizon
    later.take(walk, now: now)
    horizon = later
  }

  /// Has nobody count as known, and no walk as done that lies ahead.
  func forgetHorizon(now: Timestamp) {
    horizon = ReferralHorizon()
    walks = walks.filter { $0.value.beganAt <= now }
  }

  /// Has the horizon be another one than the walks came to.
  func setHorizon(_ other: ReferralHorizon) { horizon = other }

  /// Has the referrals made up to `time` walked, by a walk that begins, or began, no earlier: one that is under way and
  /// began in time is waited for instead.
  ///
  /// - Returns: Whether the walk changed anything.
  /// - Throws: What the walk throws; `CancellationError`.
  func walkToHorizon(
    upTo time: Timestamp, on executor: (any TaskExecutor)?, now: @Sendable () -> Timestamp,
    _ walk: @escaping @Sendable (Timestamp) async throws -> Bool
  ) async throws -> Bool {
    while let underWay {
      let result = await Self.end(of: underWay.task)
      try Task.checkCancellation()
      if underWay.beganAt >= time { return try result.get() }
    }
    let beganAt = now()
    let task = Task(executorPreference: executor) {
      let result: Result<Bool, any Error>
      do { result = .success(try await walk(beganAt)) } catch { result = .failure(error) }
      await self.noteEnd()
      return try result.get()
    }
    underWay = (beganAt, task)
    return try await Self.end(of: task).get()
  }

  private func noteEnd() { underWay = nil }

  private static func end(of task: Task<Bool, any Error>) async -> Result<Bool, any Error> {
    await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
  }
}
