import Conversions
import Logging

/// Tells the ledger the result of a walk that came to its end.
struct WalkRecord: Sendable {
  /// The time between two stores of what no decision rests on: an idle daemon need not sync the disk at each walk.
  static let idleStoreInterval = Duration.seconds(60)

  let context: PipelineContext
  let schedule: MirrorSchedule

  /// Stores a walk's result if something rests on it or a minute has passed.
  func record(_ walk: WalkUnderWay, startedAt: Timestamp) async throws {
    let (now, schedule) = (context.clock.now, schedule)
    if try await leavesNothing(walk, now: now) { return }
    let noted = await context.referralWalks.untold.completing(MirrorProgress())
    let memory = context.clock.memory
    let conclusion = try await context.ledger.transaction { transaction -> Conclusion in
      let before = try transaction.mirrorProgress()
      var progress = before
      progress.walks.merge(noted.walks) { $1 }
      if progress.place?.tier == walk.tier { progress.place = nil }
      if !walk.isSafe { try progress.take(walk, transaction, now: now) }
      if progress.currentSince == nil, schedule.isCurrent(progress, now: now, startedAt: startedAt) {
        progress.currentSince = now
      }
      let isIdle = progress.decisiveFacts == before.decisiveFacts && walk.tier.isSmall
      if isIdle, before.heardAnAnswer(lately: now) { return Conclusion() }
      (progress.lastAnswerAt, progress.clockAhead) = (noted.lastAnswerAt, noted.clockAhead ?? progress.clockAhead)
      try transaction.setMirrorProgress(progress)
      if progress.hasWalked(since: before) { try transaction.wakeOrdersBehindMirror() }
      try transaction.setClockMemory(memory)
      return Conclusion(before: before, after: progress)
    }
    if let fault = conclusion.newDistrust { ReferralReader(context: context).logDistrust(fault) }
    if conclusion.isTrustedAgain {
      context.log.event(
        .mirrorTrusted, .notice, "a full sweep of the API's referrals found nothing wrong any more")
    }
    if conclusion.matters { context.matchingWake.notify() }
  }
}

extension WalkRecord {
  /// Returns true if nothing rests on a walk, and the ledger was told of an answer less than a minute ago.
  private func leavesNothing(_ walk: WalkUnderWay, now: Timestamp) async throws -> Bool {
    guard walk.tier.isSmall, walk.tier != .conversions else { return false }
    let known = try await context.referralWalks.stored(in: context.ledger)
    return known.currentSince != nil && known.heardAnAnswer(lately: now)
  }
}

/// The mirror's progress before and after a walk's end.
private struct Conclusion: Sendable {
  var before = MirrorProgress()
  var after = MirrorProgress()

  var newDistrust: String? { before.distrust == nil ? after.distrust : nil }
  var isTrustedAgain: Bool { before.distrust != nil && after.distrust == nil }
  var matters: Bool { before.decisiveFacts != after.decisiveFacts }
}

extension MirrorProgress {
  /// Returns true if the ledger was told of an answer not long before a time.
  fileprivate func heardAnAnswer(lately now: Timestamp) -> Bool {
    guard let lastAnswerAt else { return false }
    return lastAnswerAt <= now && now - lastAnswerAt < WalkRecord.idleStoreInterval
  }

  /// The facts that decisions rest on.
  fileprivate var decisiveFacts: [String?] {
    [completeSweepBeganAt, openWalkBeganAt, currentSince].map { $0?.description } + [distrust]
  }

  /// Takes in a trusted walk. A full sweep is complete only where what it did not show can be believed.
  fileprivate mutating func take(
    _ walk: WalkUnderWay, _ transaction: any LedgerTransaction, now: Timestamp
  ) throws {
    // Ignores a walk that began in the future: the clock was set back meanwhile, and its age is unknown.
    guard walk.beganAt <= now else { return }
    if walk.tier == .full {
      // Keeps a distrust that a smaller walk found meanwhile, and that this one did not test.
      guard distrust == nil || walk.triesAll else { return }
      distrust = try AbsentReferrals.judge(transaction, sweep: walk.beganAt)
      guard distrust == nil else { return openWalkBeganAt = nil }
      (completeSweepBeganAt, completeSweepEndedAt) = (walk.beganAt, now)
    }
    if distrust == nil, walk.tier == .full || walk.endsWithConversions {
      openWalkBeganAt = max(walk.beganAt, openWalkBeganAt ?? walk.beganAt)
    }
    guard walk.tier == .conversions || (walk.tier == .full && distrust == nil) else { return }
    // Limits the newest conversion: one from the future would hide all that come before it.
    let newest = min(
      walk.newestConversion ?? walk.beganAt, walk.beganAt + max(.zero, clockAhead ?? .zero) + .seconds(60))
    if walk.newestConversion != nil { conversionsKnownTo = max(conversionsKnownTo ?? newest, newest) }
    if conversionsKnownTo == nil { conversionsKnownTo = Timestamp(microseconds: 0) }
  }
}
