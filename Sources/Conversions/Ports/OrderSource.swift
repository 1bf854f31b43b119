/// The shop's orders, as the pipeline sees them: a table to sweep range by range, recent changes to look for between
/// sweeps, and single orders to read again.
///
/// The source knows how a change is found (row versions, hashes); the pipeline decides what is read when, and keeps
/// what a read left behind (`SweepRange.mark`, `RecentPage.position`) together with what it brought.
public protocol OrderSource: Sendable {
  /// Looks at the table as it is now: how it can be followed, and what tells it from an earlier one.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  func survey() async throws -> ShopSurvey

  /// Reads a piece of a range in one short transaction.
  ///
  /// - Throws: `OrderSourceFailure` of kind `changed` where the table is no longer the surveyed one, so that no mark
  ///   means anything; of other kinds; or `CancellationError`.
  func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage

  /// Reads what changed lately, by the shop's own change columns: for latency. May miss; the sweep doesn't.
  ///
  /// - Parameters:
  ///   - position: The position that the last read's page gave; nil for the first.
  ///   - survey: The table as it was surveyed.
  ///   - screen: The rule for rows that need no close look.
  /// - Returns: The orders, and the position at which to go on.
  /// - Throws: As `sweep(_:of:screen:)`.
  func recent(after position: String?, of survey: ShopSurvey, screen: OrderScreen) async throws -> RecentPage

  /// Reads orders again by their keys; the result has a sighting for each of them.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting]

  /// Returns once the shop says that orders changed.
  ///
  /// - Throws: `OrderSourceFailure` where it can't be listened to, or `CancellationError`.
  func change() async throws
}

/// The reason why orders can't be read now. None of these ends the daemon.
public struct OrderSourceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds that lead to different words and waits.
  public enum Kind: String, Sendable, CaseIterable {
    /// No connection, or one that broke.
    case unreachable
    /// The server refused our role, or what we may read.
    case permission
    /// The mapping does not fit the table: a column dropped, renamed, retyped.
    case mapping
    /// Cancelled, timed out, locked, deadlocked: the same page may be read in a moment.
    case transient
    /// Another table, server or copy than the one that was surveyed: what marks say of it means nothing any more.
    case changed
    /// The shop does not say when orders change, and won't.
    case silent
    /// Anything else the server said.
    case other
  }

  /// The kind of failure.
  public var kind: Kind
  /// The server's SQLSTATE (PostgreSQL manual, Appendix A); nil where no server answered.
  public var sqlState: String?
  /// The event in words, and what to do where that is known.
  public var message: String

  /// Makes a failure from its values.
  public init(kind: Kind, sqlState: String? = nil, message: String) {
    self.kind = kind
    self.sqlState = sqlState
    self.message = message
  }

  /// The message with its SQLSTATE.
  public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}
