import Conversions
import Logging

/// Reads referrals from the API and stores what it is shown: everything, whatever the page is worth otherwise.
struct ReferralReading: Sendable {
  /// An unchanged referral is not written again before this is over: half the age at which it is asked for again before
  /// its order's first send.
  static let seenAgain = Duration.seconds(300)

  let surroundings: Surroundings

  /// Reads and stores one page.
  ///
  /// - Parameters:
  ///   - query: What to ask for.
  ///   - time: When the sweep began that must see each referral; nil for a walk that need not.
  ///   - priority: Who waits for it.
  /// - Returns: The page, and whether it changed anything.
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  func page(
    _ query: ReferralQuery, unlessSeenSince time: Timestamp? = nil, priority: ReadPriority
  ) async throws -> (page: ReferralPage, changed: Bool) {
    let askedAt = surroundings.clock.now
    let page = try await ReadPriority.$current.withValue(priority) {
      try await read { await surroundings.partners.list(query) }
    }
    for referral in page.unreadable { await tellUnreadable(referral.id, referral.fault) }
    return (page, try await store(page.referrals, askedAt: askedAt, unlessSeenSince: time))
  }

  /// Reads and stores one referral.
  ///
  /// - Throws: `ReadFailure`, `LedgerFailure`, or `CancellationError`.
  @discardableResult
  func referral(_ id: ReferralID) async throws -> Referral {
    let askedAt = surroundings.clock.now
    let referral = try await read { await surroundings.partners.referral(id) }
    _ = try await store([referral], askedAt: askedAt, unlessSeenSince: Timestamp(microseconds: .max), isByItself: true)
    return referral
  }

  /// How the mirror stands, with what the ledger wasn't told yet.
  func progress() async throws -> MirrorProgress {
    let walks = surroundings.referralWalks
    return await walks.untold.completing(try await walks.stored(in: surroundings.ledger))
  }

  /// Notes a walk that came to its end.
  func note(_ walk: WalkUnderWay) async throws {
    await surroundings.referralWalks.note(walk.record, of: walk.tier)
  }

  /// Has no walk count as done that lies ahead: the clock was corrected, and once that time has come it would be believed.
  func forgetWhatLiesAhead() async throws {
    let now = surroundings.clock.now
    await surroundings.referralWalks.forgetWhatLiesAhead(of: now)
    try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      progress.walks = progress.walks.filter { $0.value.beganAt <= now }
      (progress.openWalkBeganAt, progress.place) = (nil, nil)
      progress.openWalkWantedAt = progress.openWalkWantedAt.map { min($0, now) }
      try transaction.setMirrorProgress(progress)
    }
  }

  /// Notes that the list is not what it should be; tells of it when that is new.
  func distrust(_ fault: String) async throws {
    let isNew = try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.mirrorProgress()
      let isNew = progress.distrust == nil
      guard progress.distrust != fault else { return false }
      (progress.distrust, progress.openWalkBeganAt, progress.place) = (fault, nil, nil)
      try transaction.setMirrorProgress(progress)
      return isNew
    }
    if isNew { tellDistrust(fault) }
  }

  /// Alerts the operator, once for each referral and fault: an order that it may be for goes without it.
  func tellUnreadable(_ id: ReferralID?, _ fault: String) async {
    guard await surroundings.referralWalks.isNew(unreadable: id, fault) else { return }
    surroundings.log.event(
      .referralUnreadable, .error,
      "referral \(id?.text ?? "without an ID") can't be read (\(fault)); no order is matched to it until it can",
      ["referral": id?.text])
  }

  /// Alerts the operator.
  func tellDistrust(_ fault: String) {
    surroundings.log.event(
      .mirrorDistrusted, .error,
      "the API's list of referrals can't be trusted: \(fault); it is read in safe mode, and no order is given up as "
        + "without a referral until a full sweep finds nothing wrong")
  }

  private func store(
    _ referrals: [Referral], askedAt: Timestamp, unlessSeenSince time: Timestamp?, isByItself: Bool = false
  ) async throws -> Bool {
    guard !referrals.isEmpty else { return false }
    let now = surroundings.clock.now
    let changed = try await surroundings.ledger.transaction { transaction in
      try referrals.reduce(false) { changed, referral in
        try transaction.record(
          referral, seenAt: now, askedAt: askedAt, unlessSeenSince: time ?? now - Self.seenAgain,
          isByItself: isByItself) || changed
      }
    }
    if changed { surroundings.matchingBell.ring() }
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
    surroundings.clock.heard(head)
    await surroundings.referralWalks.note(head, endedAt: surroundings.clock.now)
  }
}
