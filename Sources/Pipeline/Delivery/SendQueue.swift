import Conversions

/// The orders whose turn comes next: read from the ledger some at a time, and from the queue's head again after a moment,
/// so that a live order need not wait for a backlog.
struct SendQueue: Sendable {
  /// The number read at a time for each order that may be under way.
  private static let readsPerAttempt = 2
  /// The time after which the queue is read from its head again.
  private static let readAgeMax = Duration.seconds(1)
  /// The time for which it is left alone if nothing in it may be sent before the mirror has walked back.
  private static let behindWait = Duration.seconds(15)

  private let context: PipelineContext
  private let keys: [MatchingKey]
  private var waiting: [LedgerOrder] = []
  /// The place up to which the queue was read; nil if that was its end.
  private var place: QueuePlace?
  /// The uptime at which its head was read.
  private var readAt: Duration?
  /// The uptime until which an empty queue isn't read again while most of it waits for the mirror: to look through all
  /// of a long one for the few that may be sent costs as much each time.
  private var emptyUntil: Duration?

  init(_ context: PipelineContext, keys: [MatchingKey]) { (self.context, self.keys) = (context, keys) }

  /// Returns the next order, without those that are under way.
  ///
  /// - Parameters:
  ///   - inFlight: The orders that are under way.
  ///   - width: The number that may be under way.
  ///   - probe: The one to be tried first, and before its time, while the API is out of order.
  /// - Returns: The order, which stays the next until it is taken; nil for none.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func next(except inFlight: Set<EntryID>, width: Int, probe: EntryID?) async throws -> LedgerOrder? {
    if let probe {
      forget()
      waiting = try await read(1, after: nil, except: inFlight, probe: probe).orders
      if !waiting.isEmpty { emptyUntil = nil }
      return waiting.last
    }
    if let emptyUntil, context.clock.uptime < emptyUntil { return nil }
    let age = readAt.map { context.clock.uptime - $0 } ?? Self.readAgeMax
    if age >= Self.readAgeMax { forget() }
    let limit = Self.readsPerAttempt * width
    if waiting.isEmpty, place != nil { take(try await read(limit, after: place, except: inFlight)) }
    if waiting.isEmpty {
      let head = try await read(limit, after: nil, except: inFlight)
      take(head)
      readAt = context.clock.uptime
      emptyUntil = head.isBehind ? context.clock.uptime + Self.behindWait : nil
    }
    return waiting.last
  }

  /// Takes out the order that `next` gave.
  mutating func takeNext() { waiting.removeLast() }

  /// Forgets what was read, so that the ledger is asked again for the queue's head.
  mutating func forget() { (waiting, place, readAt) = ([], nil, nil) }

  /// Returns the time at which the next order is due.
  func nextDueAt() async throws -> Timestamp? {
    try await context.ledger.transaction { try $0.nextSendAt() }
  }

  /// A part of the queue.
  private struct Reading: Sendable {
    var orders: [LedgerOrder] = []
    /// The place of the last order; nil at the queue's end.
    var place: QueuePlace?
    /// True if there is none because the mirror has yet to walk.
    var isBehind = false
  }

  private mutating func take(_ reading: Reading) {
    // Keeps the next order last, as it is taken out there at no cost.
    (waiting, place) = (reading.orders.reversed(), reading.place)
  }

  private func read(
    _ limit: Int, after place: QueuePlace?, except inFlight: Set<EntryID>, probe: EntryID? = nil
  ) async throws -> Reading {
    let (now, isConfirmed) = (context.clock.now, context.clock.isConfirmed)
    let progress = try await ReferralReader(context: context).progress()
    // While the API's search is not believed, a first send waits for a walk that began after its order was seen.
    let isDoubted = context.searchDoubts.doubts(keys, at: context.clock.uptime) != nil
    let walked = isDoubted ? progress.walkBegan(.open, now: now) ?? .distantPast : .distantFuture
    let seenUpTo = isConfirmed ? walked : .distantPast
    return try await context.ledger.transaction { transaction in
      // Refuses a first send by a clock that is unconfirmed.
      func mayLeave(_ order: LedgerOrder) -> Bool { isConfirmed || order.mayHaveBeenDone }
      if let probe, !inFlight.contains(probe), let order = try Self.probing(probe, transaction, seenUpTo: seenUpTo) {
        return Reading(orders: [order])
      }
      // Reads more at the head: there may be nothing but orders that are under way.
      let most = place == nil ? limit + inFlight.count : limit
      let isOver = try CatchUp.isOver(transaction)
      let seenUpTo = isOver ? seenUpTo : .distantPast
      let read = try transaction.nextToSend(at: now, seenUpTo: seenUpTo, after: place, limit: most)
      let orders = read.filter { !inFlight.contains($0.entry) && mayLeave($0) }.prefix(limit)
      let hasMore = orders.count == limit || read.count == most
      let waiting =
        isDoubted && isConfirmed && isOver && orders.isEmpty
        ? try transaction.nextToSend(at: now, seenUpTo: .distantFuture, limit: limit + inFlight.count)
          .filter { !inFlight.contains($0.entry) } : []
      if let newest = waiting.map(\.firstSeenAt).max() {
        try transaction.changeMirrorProgress { $0.wantOpenWalk(at: newest) }
      }
      return Reading(
        orders: Array(orders), place: hasMore ? (orders.last ?? read.last).flatMap(QueuePlace.init) : nil,
        isBehind: !waiting.isEmpty)
    }
  }

  /// Returns the order that probes, whether it is due or not, if nothing else keeps it from being sent.
  private static func probing(
    _ entry: EntryID, _ transaction: any LedgerTransaction, seenUpTo: Timestamp
  ) throws -> LedgerOrder? {
    guard let order = try transaction.entry(entry), order.outcome == .queued else { return nil }
    let mayGo = try order.mayHaveBeenDone || CatchUp.isOver(transaction) && order.firstSeenAt <= seenUpTo
    return mayGo ? order : nil
  }
}
