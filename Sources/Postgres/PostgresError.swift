/// An error of the server or of libpq. Holds neither a password nor a connection string.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The server's code; nil where no server answered.
  public var sqlState: SQLState?
  /// The primary message, one line. May quote a value of the row that failed.
  public var message: String
  /// The server's DETAIL. May quote values.
  public var detail: String?
  /// The server's HINT.
  public var hint: String?
  /// The place in the statement, counted in characters from 1.
  public var position: Int?
  /// True if the connection is gone, so that the next try needs another one.
  public var isConnectionLost: Bool
  /// The kind of failure.
  public var kind: SQLState.Kind

  /// An error from its values, each made one line; the kind is the code's, or `unreachable` where no server answered and
  /// the connection is lost.
  public init(
    sqlState: SQLState? = nil, message: String, detail: String? = nil, hint: String? = nil, position: Int? = nil,
    isConnectionLost: Bool = false, kind: SQLState.Kind? = nil
  ) {
    self.sqlState = sqlState
    self.message = Self.line(message)
    self.detail = detail.map(Self.line)
    self.hint = hint.map(Self.line)
    self.position = position
    self.isConnectionLost = isConnectionLost
    self.kind = kind ?? sqlState?.kind ?? (isConnectionLost ? .unreachable : .other)
  }

  /// The text in one line: libpq breaks its own and indents them with tabs.
  private static func line(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The message with its code.
  public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}
