import Conversions

/// The orders whose turn comes next: read from the ledger some at a time, so that thousands a second don't each ask for
/// themselves, and from the queue's head again after a moment, so that a live order need not wait for a backlog.
struct SendQueue: Sendable {
  /// How many are read at a time for each that may be under way.
  private static let readsPerFlight = 2
  /// The most that are read at a time: the sends under way wait for the ledger meanwhile.
  private static let readMax = 256
  /// How long what follows the queue's head is what follows it.
  private static let readAgeMax = Duration.seconds(1)
  /// How long it is left alone where nothing in it may be sent before the mirror has walked back.
  private static let behindWait = Duration.seconds(15)

  private let surroundings: Surroundings
  private let keys: [MatchingKey]
  private var waiting: [LedgerOrder] = []
  /// Up to where the queue was read; nil where that was its end.
  private var place: QueuePlace?
  /// When its head was read.
  private var readAt: Duration?
  /// Until when an empty queue isn't read again while most of it waits for the mirror: to look through all of a long one
  /// for the few that may be sent costs as much each time.
  private var emptyUntil: Duration?

  init(_ surroundings: Surroundings, keys: [MatchingKey]) { (self.surroundings, self.keys) = (surroundings, keys) }

  /// The next order, without those that are under way.
  ///
  /// - Parameters:
  ///   - flying: Which are under way.
  ///   - width: How many may be.
  ///   - probe: The one to be tried first, and before its time, while the API is out of order.
  /// - Returns: It stays the next until it is taken; nil for none.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  mutating func next(except flying: Set<EntryID>, width: Int, probe: EntryID?) async throws -> LedgerOrder? {
    if let probe {
      forget()
      waiting = try await read(1, after: nil, except: flying, probe: probe).orders
      if !waiting.isEmpty { emptyUntil = nil }
      return waiting.last
    }
    if let emptyUntil, surroundings.clock.uptime < emptyUntil { return nil }
    let age = readAt.map { surroundings.clock.uptime - $0 } ?? Self.readAgeMax
    if age >= Self.readAgeMax { forget() }
    let limit = min(Self.readMax, Self.readsPerFlight * width)
    if waiting.isEmpty, place != nil { take(try await read(limit, after: place, except: flying)) }
    if waiting.isEmpty {
      let head = try await read(limit, after: nil, except: flying)
      take(head)
      readAt = surroundings.clock.uptime
      emptyUntil = head.isBehind ? surroundings.clock.uptime + Self.behindWait : nil
    }
    return waiting.last
  }

  /// Takes out the order that `next` gave.
  mutating func takeNext() { waiting.removeLast() }

  /// Has the ledger be asked again, for the queue's head.
  mutating func forget() { (waiting, place, readAt) = ([], nil, nil) }

  /// When the next order is due.
  func nextDueAt() async throws -> Timestamp? {
    try await surroundings.ledger.transaction { try $0.nextSendAt() }
  }

  /// Some of the queue.
  private struct Reading: Sendable {
    var orders: [LedgerOrder] = []
    /// The last one's; nil at the queue's end.
    var place: QueuePlace?
    /// Whether there is none because the mirror has yet to walk.
    var isBehind = false
  }

  private mutating func take(_ reading: Reading) {
    // The next is the last, which is taken out at no cost.
    (waiting, place) = (reading.orders.reversed(), reading.place)
  }

  private func read(
    _ limit: Int, after place: QueuePlace?, except flying: Set<EntryID>, probe: EntryID? = nil
  ) async throws -> Reading {
    let (now, isConfirmed) = (surroundings.clock.now, surroundings.clock.isConfirmed)
    let progress = try await ReferralReading(surroundings: surroundings).progress()
    // While the API's search is not believed, a first send waits for a walk that began after its order was seen.
    let isDoubted = surroundings.searchDoubts.doubts(keys, at: surroundings.clock.uptime) != nil
    let walked = isDoubted ? progress.walkBegan(.open, now: now) ?? .distantPast : .distantFuture
    let seenUpTo = isConfirmed ? walked : .distantPast
    return try await surroundings.ledger.transaction { transaction in
      // Nothing first leaves by a clock that is unconfirmed.
      func mayLeave(_ order: LedgerOrder) -> Bool { isConfirmed || order.mayHaveBeenDone }
      if let probe, !flying.contains(probe), let order = try Self.probing(probe, transaction, seenUpTo: seenUpTo) {
        return Reading(orders: [order])
      }
      // At its head there may be nothing but those that are under way.
      let most = place == nil ? limit + flying.count : limit
      let read = try transaction.nextToSend(at: now, seenUpTo: seenUpTo, after: place, limit: most)
      let orders = read.filter { !flying.contains($0.entry) && mayLeave($0) }.prefix(limit)
      let hasMore = orders.count == limit || read.count == most
      let waiting =
        isDoubted && isConfirmed && orders.isEmpty
        ? try transaction.nextToSend(at: now, seenUpTo: .distantFuture, limit: limit + flying.count)
          .filter { !flying.contains($0.entry) } : []
      if let newest = waiting.map(\.firstSeenAt).max() { try transaction.wantOpenWalk(at: newest) }
      return Reading(
        orders: Array(orders), place: hasMore ? (orders.last ?? read.last).flatMap(QueuePlace.init) : nil,
        isBehind: !waiting.isEmpty)
    }
  }

  /// The order that probes, whether it is due or not, if nothing else keeps it from being sent.
  private static func probing(
    _ entry: EntryID, _ transaction: any LedgerTransaction, seenUpTo: Timestamp
  ) throws -> LedgerOrder? {
    guard let order = try transaction.entry(entry), order.outcome == .queued else { return nil }
    let mayGo = try order.mayHaveBeenDone || transaction.mayFreeze && order.firstSeenAt <= seenUpTo
    return mayGo ? order : nil
  }
}
