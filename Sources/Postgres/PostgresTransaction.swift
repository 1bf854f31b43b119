/// The statements of one transaction. Lent to the body of `PostgresConnection.transaction`, and of no use after it.
public final class PostgresTransaction {
  typealias Statement = (String, [PostgresParameter], PostgresRows.Format) throws -> PostgresRows

  /// The results of the statements that were sent along with BEGIN, in their order.
  public let opened: [PostgresRows]
  private let statement: Statement
  private var hasEnded = false

  init(opened: [PostgresRows], _ statement: @escaping Statement) {
    self.opened = opened
    self.statement = statement
  }

  /// Runs one statement with its parameters bound.
  ///
  /// - Parameters:
  ///   - sql: One statement, with `$1`, `$2` ... for the parameters.
  ///   - parameters: Their values in order.
  ///   - format: The form in which its cells travel.
  /// - Returns: Its rows.
  /// - Throws: `PostgresError`, after which the transaction takes no other statement, or `CancellationError`.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: [PostgresParameter] = [], format: PostgresRows.Format = .text
  ) throws -> PostgresRows {
    guard !hasEnded else { throw PostgresError(message: "the transaction has ended") }
    return try statement(sql, parameters, format)
  }

  /// Runs work that may fail without costing the transaction: behind a savepoint, rolled back to when a statement
  /// fails.
  ///
  /// - Parameter work: Statements of this transaction.
  /// - Returns: The work's result, or the server's error.
  /// - Throws: `PostgresError` when the connection is lost, `CancellationError`, and whatever else the work throws.
  public func attempt<Value>(_ work: () throws -> Value) throws -> Result<Value, PostgresError> {
    try query("SAVEPOINT attempt")
    do {
      let value = try work()
      try query("RELEASE SAVEPOINT attempt")
      return .success(value)
    } catch let error as PostgresError where !error.isConnectionLost {
      try query("ROLLBACK TO SAVEPOINT attempt")
      return .failure(error)
    }
  }

  func end() { hasEnded = true }
}
