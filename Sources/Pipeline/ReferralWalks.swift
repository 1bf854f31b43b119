import Conversions

/// What the walks over the API's list have in common, whoever does them: what was done since the ledger was last told,
/// and the walk over the youngest referrals that several may wait for.
public actor ReferralWalks {
  private var walks: [MirrorTier: MirrorWalk] = [:]
  /// Nothing but its horizon.
  private var horizon = MirrorProgress()
  private var lastAnswerAt: Timestamp?
  private var clock = ClockComparison()
  /// What the ledger knew when it had changed so often.
  private var stored: (changes: UInt64, progress: MirrorProgress)?
  private var underWay: (beganAt: Timestamp, task: Task<Bool, any Error>)?

  /// Nothing done yet.
  public init() {}

  /// What the ledger knows, with what it wasn't told yet.
  func completed(_ progress: MirrorProgress) -> MirrorProgress {
    var progress = progress
    progress.walks.merge(walks) { $1 }
    progress.takeHorizon(of: horizon)
    progress.lastAnswerAt = lastAnswerAt ?? progress.lastAnswerAt
    progress.clockAhead = clock.ahead ?? progress.clockAhead
    return progress
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

  /// Notes a walk that came to its end.
  ///
  /// - Parameters:
  ///   - walk: When it began, and what it cost.
  ///   - tier: What it was over.
  ///   - progress: What the ledger knows.
  ///   - now: When it ended.
  ///   - isScheduled: Whether it was the mirror's own, or can stand for it.
  func note(
    _ walk: MirrorWalk, of tier: MirrorTier, _ progress: MirrorProgress, now: Timestamp, isScheduled: Bool = true
  ) {
    if isScheduled { walks[tier] = walk }
    var progress = completed(progress)
    progress.moveHorizon(walk, of: tier, now: now)
    horizon.takeHorizon(of: progress)
  }

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
