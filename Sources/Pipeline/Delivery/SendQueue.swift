import Conversions

/// An order whose turn it is, with what must be looked at first.
struct QueuedOrder: Sendable {
  let order: LedgerOrder
  let needs: LooksBeforeSend.Needs
}

/// The orders whose turn comes next: read from the ledger some at a time, so that thousands a second don't each ask for
/// themselves, and forgotten after a moment, so that a live order need not wait for a backlog.
struct SendQueue: Sendable {
  /// How many are read at a time, for each that may be under way: those under way are read again each time.
  private static let readsPerFlight = 2
  /// How long a reading holds.
  private static let readAgeMax = Duration.seconds(1)
  /// How long it is left alone where nothing in it may be sent before the mirror has walked back.
  private static let behindWait = Duration.seconds(15)

  private let surroundings: Surroundings
  private let looks: LooksBeforeSend
  private var waiting: [QueuedOrder] = []
  private var readAt: Duration?
  /// Until when an empty queue isn't read again while most of it waits for the mirror: to look through all of a long one
  /// for the few that may be sent costs as much each time.
  private var emptyUntil: Duration?

  init(_ surroundings: Surroundings, rules: AttributionRules) {
    self.surroundings = surroundings
    looks = LooksBeforeSend(surroundings, rules: rules)
  }

  /// The next order, without those that are under way.
  ///
  /// - Parameters:
  ///   - flying: Which are under way.
  ///   - width: How many may be.
  ///   - probe: The one to be tried first, and before its time, while the API is out of order.
  /// - Returns: It stays the next until it is taken; nil for none.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func next(except flying: Set<EntryID>, width: Int, probe: EntryID?) async throws -> QueuedOrder? {
    if let probe {
      (waiting, readAt) = (try await read(probe: probe, except: flying, limit: 1), nil)
      return waiting.last
    }
    if let emptyUntil, surroundings.clock.uptime < emptyUntil { return nil }
    let age = readAt.map { surroundings.clock.uptime - $0 } ?? Self.readAgeMax
    if age >= Self.readAgeMax || waiting.isEmpty {
      waiting = try await read(probe: nil, except: flying, limit: Self.readsPerFlight * width).reversed()
      readAt = surroundings.clock.uptime
    }
    return waiting.last
  }

  /// Takes out the order that `next` gave.
  mutating func takeNext() { waiting.removeLast() }

  /// Has the ledger be asked again.
  mutating func forget() { (waiting, readAt) = ([], nil) }

  /// When the next order is due.
  func nextDueAt() async throws -> Timestamp? {
    try await surroundings.ledger.transaction { try $0.nextSendAt() }
  }

  private mutating func read(probe: EntryID?, except flying: Set<EntryID>, limit: Int) async throws -> [QueuedOrder] {
    let now = surroundings.clock.now
    let progress = try await ReferralReading(surroundings: surroundings).progress()
    // Where the mirror must read far back first, what it knew nothing of waits for that.
    let seenUpTo = HorizonWalk.tier(progress, now: now) == nil ? progress.referralsKnownTo(now: now) : .distantFuture
    let orders = try await surroundings.ledger.transaction { transaction in
      if let probe, !flying.contains(probe), let order = try transaction.entry(probe), order.outcome == .queued,
        order.frozen != nil
      {
        return [order]
      }
      return try transaction.nextToSend(at: now, seenUpTo: seenUpTo ?? .distantPast, limit: limit + flying.count)
        .filter { !flying.contains($0.entry) }
    }
    let isBehind = orders.isEmpty && progress.isBehind(now: now)
    emptyUntil = isBehind ? surroundings.clock.uptime + Self.behindWait : nil
    guard !orders.isEmpty else { return [] }
    let needs = try await looks.needs(of: orders, progress)
    return zip(orders, needs).map(QueuedOrder.init)
  }
}
