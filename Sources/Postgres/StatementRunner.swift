/// Makes a `StatementRun` for each statement of a call.
struct StatementRunner {
  let handle: ConnectionHandle
  let wake: EventDescriptor
  let cancellation: Cancellation

  func run(
    _ sql: String, _ parameters: [PostgresParameter], format: PostgresRows.Format = .text
  ) throws -> PostgresRows {
    var run = StatementRun(connection: handle, wake: wake, cancellation: cancellation, deadline: deadline)
    return try run.run(sql, parameters, format: format)
  }

  func run(script: String) throws -> [PostgresRows] {
    var run = StatementRun(connection: handle, wake: wake, cancellation: cancellation, deadline: deadline)
    return try run.run(script: script)
  }

  private var deadline: ContinuousClock.Instant { .now + PostgresConnection.answerLimit }
}
