public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that brings orders from the shop's table into the ledger.
///
/// A position is stored in the transaction that stores what came with it, so a crash anywhere reads a page twice and
/// never skips one.
public struct Intake: Service {
  /// Where the first walk begins.
  public enum Start: Sendable, Hashable {
    /// Every order; one that no referral can match any more is decided at once.
    case everything
    /// Orders placed from the first start on.
    case firstStart
    /// Orders placed from a time on.
    case from(Timestamp)
  }

  private let surroundings: Surroundings
  private let start: Start
  private let pollInterval: Duration

  /// An intake that reads every `pollInterval`, and at once when its bell rings.
  public init(_ surroundings: Surroundings, start: Start, pollInterval: Duration) {
    self.surroundings = surroundings
    self.start = start
    self.pollInterval = pollInterval
  }

  /// Reads until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    var outage = Outage(of: "reading orders", failed: .pollFailed, recovered: .pollRecovered)
    var told: Set<String> = []
    while !Task.isCancelled {
      do {
        let began = surroundings.clock.uptime
        try await walk { page in
          outage.succeed(at: surroundings.clock.uptime, log: surroundings.log)
          tell(page.warnings, &told)
        }
        // A large table is read less often, so that the shop's database is left alone nine tenths of the time.
        let rest = max(pollInterval, (surroundings.clock.uptime - began) * 9)
        try await surroundings.intakeBell.wait(until: surroundings.clock.uptime + rest, clock: surroundings.clock)
      } catch is CancellationError where Task.isCancelled {
        return
      } catch {
        await report(error, &outage)
        let wait = await surroundings.chance.wait(.reconnect, afterFailures: outage.failures)
        try? await surroundings.clock.sleep(for: max(wait, pollInterval))
      }
    }
  }

  /// Tells of each warning once for as long as it lasts.
  private func tell(_ warnings: [String], _ told: inout Set<String>) {
    for warning in warnings where !told.contains(warning) { surroundings.log.event(.pollWarning, .warning, warning) }
    told = Set(warnings)
  }

  /// Reads pages until one ends a walk.
  private func walk(whenPageWasRead: (OrderPage) -> Void) async throws {
    try await settleStart()
    var position = try await surroundings.ledger.transaction { try $0.position(of: .sweep) }
    while true {
      let page = try await surroundings.orders.page(of: .sweep, after: position)
      position = page.position
      let changes = try await store(page)
      await surroundings.vitals.well(.database, at: surroundings.clock.now)
      await surroundings.vitals.well(.ledger, at: surroundings.clock.now)
      whenPageWasRead(page)
      if changes > 0 || page.endsWalk { await surroundings.matchingBell.ring() }
      if page.endsWalk { return }
    }
  }

  /// The start is settled once for each ledger: a later change of `orders.start` would leave out, or take in, orders
  /// that were already decided about.
  private func settleStart() async throws {
    let (start, now) = (start, surroundings.clock.now)
    try await surroundings.ledger.transaction { transaction in
      var progress = try transaction.intakeProgress()
      guard !progress.isStartSettled else { return }
      switch start {
      case .everything: progress.takesOrdersFrom = nil
      case .firstStart: progress.takesOrdersFrom = now
      case .from(let time): progress.takesOrdersFrom = time
      }
      progress.isStartSettled = true
      try transaction.setIntakeProgress(progress)
    }
  }

  /// How often a position is stored that brought nothing: an idle daemon need not sync the disk at each poll, and after a
  /// crash those pages are just read again.
  static let idleStoreInterval = Duration.seconds(60)

  /// Stores a page and its position together; tells how many rows were new or changed.
  private func store(_ page: OrderPage) async throws -> Int {
    let now = surroundings.clock.now
    let (changes, reused) = try await surroundings.ledger.transaction { transaction -> (Int, [String]) in
      var progress = try transaction.intakeProgress()
      var changes = 0
      var reused: [String] = []
      for row in page.rows where row.isPlaced(from: progress.takesOrdersFrom) {
        let change = try transaction.record(row, seenAt: now, isBackfill: progress.firstCaughtUpAt == nil)
        if change != .unchanged { changes += 1 }
        if change == .reused { reused.append(row.orderID) }
      }
      if changes == 0, progress.caughtUpAt != nil, let last = progress.lastPageAt, last <= now,
        now - last < Self.idleStoreInterval
      {
        return (0, [])
      }
      try transaction.setPosition(page.position, of: .sweep)
      progress.lastPageAt = now
      if page.endsWalk { progress.lastWalkAt = now }
      try transaction.setIntakeProgress(progress)
      return (changes, reused)
    }
    for order in reused {
      surroundings.log.event(
        .review, .error, "order \(order) was reported, and has come back with another time of placing",
        ["order": order, "reason": ReviewReason.idReused.rawValue])
    }
    return changes
  }

  private func report(_ error: any Error, _ outage: inout Outage) async {
    let failure = error as? OrderSourceFailure
    let message = failure.map(\.message) ?? "\(error)"
    await surroundings.vitals.ill(failure == nil ? .ledger : .database, message, at: surroundings.clock.now)
    let needsPerson = failure?.kind == .mapping || failure?.kind == .permission
    outage.fail(
      message, level: needsPerson ? .error : .warning, at: surroundings.clock.uptime, log: surroundings.log,
      fields: ["sqlstate": failure?.sqlState, "reason": failure?.kind.rawValue])
  }
}

extension OrderRow {
  fileprivate var orderID: String {
    switch self {
    case .readable(let order): order.transactionID.text
    case .unreadable(let order): order.transactionID ?? order.key.text
    }
  }

  /// Whether intake takes the row in. One whose time can't be read is, as a person must look at it.
  fileprivate func isPlaced(from time: Timestamp?) -> Bool {
    guard let time, case .readable(let order) = self else { return true }
    return order.placedAt.latest >= time
  }
}
