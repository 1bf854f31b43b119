import Conversions
import Synchronization

/// The shop's servers as earlier reads have shown them: tells if one may be believed when a row is missing.
///
/// A balancer, or a connection string with several hosts, may put each connection on another server. One that lags
/// shows neither the newest orders nor the newest of their versions.
final class ShopMemory: Sendable {
  /// The time for which a row must have been missing on a server that tells no WAL position.
  static let missedFor = Duration.seconds(60)
  /// The most orders for which the position is kept at which they were seen.
  private static let seenMax = 50_000

  private struct State {
    var survey: ServerStand?
    /// Tables under row-level security when the first survey was made.
    var policedAtStart: Set<String>?
    /// The furthest position that a sweep was read at.
    var furthest: UInt64?
    /// The position at which each order was seen last.
    var seen: [OrderKey: UInt64] = [:]
    /// The position at which any other order was seen at the latest.
    var seenBefore: UInt64?
    var missedSince: [OrderKey: ContinuousClock.Instant] = [:]
  }

  private let state = Mutex(State())

  /// Takes in the server that a survey was made on.
  func survey(_ stand: ServerStand) {
    state.withLock { state in
      if let before = state.survey, before.system != stand.system {
        (state.seen, state.seenBefore, state.furthest, state.missedSince) = ([:], nil, nil, [:])
      }
      state.survey = stand
      if state.policedAtStart == nil { state.policedAtStart = stand.policed }
      if state.seenBefore == nil { state.seenBefore = stand.position }
    }
  }

  /// Lets a server be read that hides nothing more than at the start, and that is not behind.
  ///
  /// - Throws: `OrderSourceFailure` of kind `permission` where row-level security was switched on, of kind `transient`
  ///   where a standby lags.
  func check(_ stand: ServerStand) throws {
    let (started, furthest, survey) = state.withLock { ($0.policedAtStart, $0.furthest, $0.survey) }
    if let started, let table = stand.policed.subtracting(started).min() {
      throw OrderSourceFailure(kind: .permission, message: Self.policed(table))
    }
    guard stand.isStandby, let furthest, let position = stand.position, position < furthest,
      survey?.system == stand.system
    else { return }
    throw OrderSourceFailure(
      kind: .transient,
      message: "the server that answers is a standby, and \(furthest - position) bytes of WAL behind what was read "
        + "before: orders are read when it has caught up; does orders.connection lead to several servers?")
  }

  private static func policed(_ table: String) -> String {
    "row-level security was switched on for \(table): orders may be hidden, so none is taken for gone and nothing is "
      + "sent; give the role in orders.connection BYPASSRLS, or a policy that shows it every order and restart, or "
      + "switch it off again"
  }

  /// Takes in which orders a read has shown, and how far its server was.
  func note(_ orders: [SeenOrder], _ stand: ServerStand) {
    guard let position = stand.position else { return }
    state.withLock { state in
      // A primary is right also where it was set back.
      state.furthest = stand.isStandby ? max(state.furthest ?? 0, position) : position
      if state.seen.count + orders.count > Self.seenMax {
        state.seenBefore = state.seen.values.reduce(max(state.seenBefore ?? 0, position), max)
        state.seen = [:]
      }
      for order in orders { state.seen[order.row.key] = position }
    }
  }

  /// The trust in a server's answer about an order.
  enum Trust: Hashable, Sendable {
    /// It has seen all that was seen before.
    case whole
    /// It is the survey's, and tells no position: a row that it shows is believed, and one that it misses for long.
    case rows
    /// It may be behind, or another one altogether; the reason.
    case none(String)
  }

  func trust(in stand: ServerStand, on key: OrderKey) -> Trust {
    state.withLock { state in
      guard let survey = state.survey else { return .none("the table was not surveyed yet") }
      guard survey.visibility == stand.visibility, stand.policed.isSubset(of: state.policedAtStart ?? []) else {
        return .none("the table, a view, the role or row-level security is not what it was when orders were last read")
      }
      guard survey.system == stand.system else { return .none("another server answered than the one that was read") }
      if survey.server == stand.server, !stand.isStandby { return .whole }
      if let position = stand.position, let seen = state.seen[key] ?? state.seenBefore {
        return position >= seen
          ? .whole : .none("a server answered that is behind the one that showed the order: a standby that lags?")
      }
      return survey.server == stand.server
        ? .rows : .none("another server answered than the one that was read, and it can't be told whether it is behind")
    }
  }

  /// Takes in that an order is missing on a server that tells no position; true once it has been for long enough.
  func isMissedLong(_ key: OrderKey, now: ContinuousClock.Instant = .now) -> Bool {
    state.withLock { state in
      let since = state.missedSince[key] ?? now
      state.missedSince[key] = since
      return now - since >= Self.missedFor
    }
  }

  /// Forgets that an order was missing.
  func found(_ key: OrderKey) {
    state.withLock { state in if !state.missedSince.isEmpty { state.missedSince[key] = nil } }
  }
}
