import Conversions
import Logging

/// Reads referrals from the API and stores all that it is shown, even of a page that has a fault.
struct ReferralReader: Sendable {
  /// The time before which an unchanged referral is not written again: half the age at which it is asked for again
  /// before its order's first send.
  static let seenAgain = Duration.seconds(300)

  let context: PipelineContext

  /// Reads and stores one page.
  ///
  /// - Parameters:
  ///   - query: The query to ask.
  ///   - time: The time at which the sweep began that must see each referral; nil for a walk that need not.
  ///   - priority: The priority of the read.
  /// - Returns: The page, and whether it changed anything.
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  func page(
    _ query: ReferralQuery, unlessSeenSince time: Timestamp? = nil, priority: ReadPriority
  ) async throws -> (page: ReferralPage, changed: Bool) {
    let askedAt = context.clock.now
    let page = try await ReadPriority.$current.withValue(priority) {
      try await read { await context.partners.list(query) }
    }
    for referral in page.unreadable { await logUnreadable(referral) }
    await context.referralWalks.note(readable: page.referrals)
    return (page, try await store(page.referrals, askedAt: askedAt, unlessSeenSince: time))
  }

  /// Reads and stores one referral.
  ///
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  @discardableResult
  func referral(_ id: ReferralID) async throws -> Referral {
    let askedAt = context.clock.now
    let referral = try await read { await context.partners.referral(id) }
    await context.referralWalks.note(readable: [referral])
    _ = try await store([referral], askedAt: askedAt, unlessSeenSince: Timestamp(microseconds: .max), isByItself: true)
    return referral
  }

  /// Returns the mirror's progress, with what the ledger wasn't told yet.
  func progress() async throws -> MirrorProgress {
    let walks = context.referralWalks
    return await walks.untold.completing(try await walks.stored(in: context.ledger))
  }

  /// Notes a walk that came to its end.
  func note(_ walk: WalkUnderWay) async throws {
    await context.referralWalks.note(walk.record, of: walk.tier)
  }

  /// Forgets walks that began in the future: the clock was corrected, and they would be believed once that time comes.
  func forgetWhatLiesAhead() async throws {
    let now = context.clock.now
    await context.referralWalks.forgetWhatLiesAhead(of: now)
    try await context.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      progress.walks = progress.walks.filter { $0.value.beganAt <= now }
      (progress.openWalkBeganAt, progress.place) = (nil, nil)
      progress.openWalkWantedAt = progress.openWalkWantedAt.map { min($0, now) }
      try transaction.setMirrorProgress(progress)
    }
  }

  /// Notes that the list is not what it should be; logs it when that is new.
  func distrust(_ fault: String) async throws {
    let isNew = try await context.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      let isNew = progress.distrust == nil
      guard progress.distrust != fault else { return false }
      (progress.distrust, progress.openWalkBeganAt, progress.place) = (fault, nil, nil)
      try transaction.setMirrorProgress(progress)
      return isNew
    }
    if isNew { logDistrust(fault) }
  }

  /// Alerts the operator, once for each referral and fault.
  private func logUnreadable(_ referral: UnreadableReferral) async {
    guard await context.referralWalks.note(referral) else { return }
    context.log.event(
      .referralUnreadable, .error,
      "referral \(referral.id?.text ?? "without an ID") can't be read (\(referral.fault)); no order is matched to it, "
        + "and an order that shares a key with it waits, until it can",
      ["referral": referral.id?.text])
  }

  /// Alerts the operator that the list is distrusted.
  func logDistrust(_ fault: String) {
    context.log.event(
      .mirrorDistrusted, .error,
      "the API's list of referrals can't be trusted: \(fault); it is read in safe mode, and no order is given up as "
        + "without a referral until a full sweep finds nothing wrong")
  }

  private func store(
    _ referrals: [Referral], askedAt: Timestamp, unlessSeenSince time: Timestamp?, isByItself: Bool = false
  ) async throws -> Bool {
    guard !referrals.isEmpty else { return false }
    let now = context.clock.now
    let changed = try await context.ledger.transaction { transaction in
      try referrals.reduce(false) { changed, referral in
        try transaction.record(
          referral, seenAt: now, askedAt: askedAt, unlessSeenSince: time ?? now - Self.seenAgain,
          isByItself: isByItself) || changed
      }
    }
    if changed { context.matchingWake.notify() }
    return changed
  }

  private func read<Value>(_ request: () async -> APIAnswer<Value>) async throws -> Value {
    switch await request() {
    case .success(let value, let head):
      await note(head)
      return value
    case .failure(let failure, let head):
      await note(head)
      throw ReadFailure(status: head.status, failure)
    case .transport(let failure) where failure.kind == .cancelled: throw CancellationError()
    case .transport(let failure): throw ReadFailure(failure)
    }
  }

  private func note(_ head: AnswerHead) async {
    context.clock.heard(head)
    await context.referralWalks.note(head, endedAt: context.clock.now)
  }
}
