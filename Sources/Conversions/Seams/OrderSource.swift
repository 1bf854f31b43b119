/// The shop's orders, as the pipeline sees them: pages to walk, and single orders to read again.
///
/// How a page is found (a full walk, an indexed change column, a sweep by horizon, hashes) is the source's own; the
/// pipeline only stores the position it is given together with what came with it, and hands it back.
public protocol OrderSource: Sendable {
  /// Reads the next page of a lane in one short transaction, from the position that the ledger stored with the lane's
  /// last page on; nil for none.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  func page(of lane: IntakeLane, after position: IntakePosition?) async throws -> OrderPage

  /// Reads orders again by their keys. A key that is missing in the result is no longer an order.
  ///
  /// - Throws: `OrderSourceFailure`, or `CancellationError`.
  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: OrderRow]
}

/// The ways in which orders are read side by side, each with a position of its own.
public enum IntakeLane: String, Sendable, Codable, CaseIterable {
  /// Recent changes, for latency. May miss; the sweep doesn't.
  case fast
  /// Everything, for truth.
  case sweep
}

/// How far a lane has come, in the source's own words; stored as it is.
public struct IntakePosition: Hashable, Sendable, Codable {
  /// The source's own words.
  public let text: String

  /// Wraps the source's own words.
  public init(_ text: String) { self.text = text }
}

/// One short read.
public struct OrderPage: Sendable {
  /// The rows, each key at most once.
  public var rows: [OrderRow]
  /// Where to go on; stored in the transaction that stores the rows.
  public var position: IntakePosition
  /// Whether this page ended a walk over everything there is.
  public var endsWalk: Bool
  /// When the page's snapshot was taken, by the database's clock.
  public var readAt: Timestamp
  /// What an operator should know although reading goes on, in a sentence each; the same words for as long as it lasts.
  public var warnings: [String]

  /// A page from its values.
  public init(
    rows: [OrderRow], position: IntakePosition, endsWalk: Bool, readAt: Timestamp, warnings: [String] = []
  ) {
    self.rows = rows
    self.position = position
    self.endsWalk = endsWalk
    self.readAt = readAt
    self.warnings = warnings
  }
}

/// Why orders can't be read now. None of these ends the daemon.
public struct OrderSourceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds that lead to different words and waits.
  public enum Kind: String, Sendable, CaseIterable {
    /// No connection, or one that broke.
    case unreachable
    /// The server refused who we are, or what we may read.
    case permission
    /// The mapping does not fit the table: a column dropped, renamed, retyped.
    case mapping
    /// Cancelled, timed out, locked, deadlocked: the same page may be read in a moment.
    case transient
    /// Anything else the server said.
    case other
  }

  /// What kind it is.
  public var kind: Kind
  /// The server's SQLSTATE (PostgreSQL manual, Appendix A); nil where no server spoke.
  public var sqlState: String?
  /// What happened, and what to do where that is known.
  public var message: String

  /// A failure from its values.
  public init(kind: Kind, sqlState: String? = nil, message: String) {
    self.kind = kind
    self.sqlState = sqlState
    self.message = message
  }

  /// The message with its SQLSTATE.
  public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}
