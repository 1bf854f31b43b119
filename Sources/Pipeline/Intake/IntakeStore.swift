import Conversions

extension IntakeRun {
  /// The time between two stores of marks that brought nothing: an idle daemon need not sync the disk at each poll, and
  /// after a crash a little more is read again.
  static let idleStoreInterval = Duration.seconds(60)

  /// Stores what a read brought, and how far it came, in one transaction; `advance` tells the latter.
  mutating func store(
    _ orders: [SeenOrder], counted: [Outcome: Int] = [:], _ moment: SnapshotMoment, isBackfill: Bool,
    from start: Timestamp?, advance: @escaping @Sendable (inout IntakeRun, OrderIngest.Taken) -> Void
  ) async throws {
    let (now, uptime) = (context.clock.now, context.clock.uptime)
    let taking = OrderIngest(
      rules: rules, now: now, isBackfill: isBackfill, isTimeConfirmed: context.clock.isConfirmed)
    // Stores counts, too: a backlog of nothing else must not begin anew at each restart.
    let isIdle = counted.isEmpty && storedAt.map { uptime - $0 < Self.idleStoreInterval } ?? false
    if orders.isEmpty, isIdle { return advance(&self, OrderIngest.Taken()) }
    // Moves this copy on only after the ledger's.
    let (stored, taken) = try await context.ledger.transaction { [self] transaction in
      var run = self
      let taken = try taking.take(orders, from: start, transaction)
      advance(&run, taken)
      if taken.changes > 0 || !isIdle { try run.write(moment, at: now, transaction) }
      if taken.waitsForSweep { try transaction.changeMirrorProgress { $0.wantFullSweep(at: now) } }
      if taken.waitsForWalk { try transaction.changeMirrorProgress { $0.wantOpenWalk(at: now) } }
      return (run, taken)
    }
    self = stored
    if taken.changes > 0 || !isIdle { storedAt = uptime }
    await log(taken)
  }

  /// Writes down how far reading has come.
  private mutating func write(
    _ moment: SnapshotMoment, at now: Timestamp, _ transaction: any LedgerTransaction
  ) throws {
    let (endSeen, recentPosition) = (endSeen, recentPosition)
    try flush(transaction) { progress in
      progress.endSeen = endSeen
      progress.aliveAt = now
      progress.noteClock(moment.readAt - now)
      progress.recentPosition = recentPosition
      if progress.noted == nil { progress.noted = .init(horizon: moment.horizon, takenAt: now) }
    }
    // Clears the counts kept beside the ranges once each range has counted anew, and so includes them.
    if let whole = book.wholeSince, talliedAt.map({ whole > $0 }) ?? true {
      try transaction.clearTallies()
      talliedAt = now
    }
  }

  /// Writes ranges that changed, and what else is known of the progress.
  private mutating func flush(
    _ transaction: any LedgerTransaction, _ note: (inout IntakeProgress) -> Void
  ) throws {
    for range in unstored.values { try transaction.setRange(range) }
    unstored = [:]
    var progress = try transaction.intakeProgress()
    note(&progress)
    try transaction.setIntakeProgress(progress)
  }

  /// Notes that everything that may have changed since the start was read.
  mutating func noteWalk() async throws {
    let now = context.clock.now
    self = try await context.ledger.transaction { [self] transaction in
      var run = self
      try run.flush(transaction) { $0.lastWalkAt = now }
      try transaction.endMappingChange()
      return run
    }
    hasWalked = true
    context.matchingWake.notify()
  }

  private func log(_ taken: OrderIngest.Taken) async {
    context.logChanges(taken.decided)
    ChangedSince.log(taken.changedSince, to: context.log)
    for order in taken.reused { context.log.noteReuse(of: order) }
    LostReferral.log(taken.lost, to: context.log)
    guard taken.changes > 0 else { return }
    context.health.succeeded(.ledger, at: context.clock.now)
    context.matchingWake.notify()
    if taken.waitsForSweep || taken.waitsForWalk { context.mirrorWake.notify() }
    if taken.decided.contains(where: { $0.decision.outcome == .queued }) { context.deliveryWake.notify() }
  }
}
