import BlockingIO
internal import CLibpq
import Dispatch
import Synchronization

/// One connection to PostgreSQL. An actor on a thread of its own, as libpq blocks.
///
/// A transaction is one piece of work on that thread: nothing else can come between its statements, and it can't be
/// left open while a task waits for something else. Once lost, a connection stays lost; make another.
public actor PostgresConnection {
  private let executor: BlockingExecutor
  private let handle: Mutex<ConnectionHandle?>
  let wake: EventDescriptor
  private let settings: ConnectionSettings
  /// The server's version as a number, such as 150004.
  public nonisolated let serverVersion: Int
  /// The database's encoding, such as `UTF8` or `SQL_ASCII`.
  public nonisolated let serverEncoding: String

  /// The longest that any statement may go without an answer, whatever the server's own limits: a stopped server keeps
  /// its TCP connections alive.
  public static let answerLimit = Duration.seconds(60)

  /// The thread that libpq runs on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  private init(_ handle: ConnectionHandle, _ executor: BlockingExecutor, _ settings: ConnectionSettings) throws {
    self.handle = Mutex(handle)
    self.executor = executor
    self.settings = settings
    wake = try EventDescriptor()
    serverVersion = unsafe Int(PQserverVersion(handle.pointer))
    serverEncoding =
      unsafe PQparameterStatus(handle.pointer, "server_encoding").map { unsafe String(cString: $0) } ?? ""
  }

  /// Connects.
  ///
  /// libpq reads PG* variables, pg_service.conf and .pgpass as psql(1) does. `connect_timeout` is 10 s unless given.
  ///
  /// - Parameters:
  ///   - conninfo: A conninfo string, a `postgresql://` URI or a database's name.
  ///   - limit: The time after which to give up although libpq has not, as when a name server does not answer.
  /// - Returns: A connection that the server has accepted.
  /// - Throws: `PostgresError`, or `CancellationError` at once when the task is cancelled; the attempt then ends by
  ///   itself and is closed.
  public static func connect(
    to conninfo: String, within limit: Duration = .seconds(60)
  ) async throws -> PostgresConnection {
    try Task.checkCancellation()
    let settings = try ConnectionSettings(conninfo)
    let executor = BlockingExecutor(label: "postgres.connection")
    let answer = FirstAnswer<ConnectionHandle>()
    executor.perform { answer.give(Result { try ConnectionHandle.open(settings) }) }
    let timer = Task {
      try await Task.sleep(for: limit)
      answer.give(.failure(PostgresError(message: "no connection within \(limit)", isConnectionLost: true)))
    }
    defer { timer.cancel() }
    let handle = try await withTaskCancellationHandler {
      try await answer.wait()
    } onCancel: {
      answer.give(.failure(CancellationError()))
    }
    return try PostgresConnection(handle, executor, settings)
  }

  /// Runs one statement, with its parameters bound, outside of any transaction block.
  ///
  /// - Parameters:
  ///   - sql: One statement, with `$1`, `$2` ... for the parameters.
  ///   - parameters: Their values in order.
  /// - Returns: Its rows; no rows for a statement that returns none.
  /// - Throws: `PostgresError`, or `CancellationError` after the server has stopped the statement.
  public func query(_ sql: String, _ parameters: [PostgresParameter] = []) async throws -> PostgresRows {
    try await cancellable { cancellation in
      try self.perform { try self.statement(cancellation, on: $0).run(sql, parameters) }
    }
  }

  /// Runs a transaction: REPEATABLE READ, READ ONLY, with limits and session settings of its own that end with it, so
  /// that a pooler in transaction mode (PgBouncer) never hands them on.
  ///
  /// - Parameters:
  ///   - limits: The most time that the server is to spend.
  ///   - opening: Statements without parameters that travel with BEGIN, in one round trip; what they return is the
  ///     transaction's `opened`.
  ///   - body: The statements. Its result must not depend on anything but them.
  /// - Returns: The body's result.
  /// - Throws: The body's error, after a rollback; `PostgresError`; `CancellationError`.
  public func transaction<Result: Sendable>(
    _ limits: TransactionLimits = TransactionLimits(), opening: [String] = [],
    _ body: @Sendable (PostgresTransaction) throws -> Result
  ) async throws -> Result {
    try await cancellable { cancellation in
      try self.perform { handle in
        let script = ([limits.openingScript] + opening).joined(separator: ";\n")
        let outcome = Swift.Result {
          // BEGIN and our own settings return a result each, before those that were asked for.
          let opened = try self.statement(cancellation, on: handle).run(script: script).dropFirst(2)
          let transaction = PostgresTransaction(opened: Array(opened)) { sql, parameters, format in
            try self.statement(cancellation, on: handle).run(sql, parameters, format: format)
          }
          defer { transaction.end() }
          return try body(transaction)
        }
        try self.finish(handle, commits: (try? outcome.get()) != nil)
        return try outcome.get()
      }
    }
  }

  /// Ends the transaction. After a failure, a rollback that fails too costs the connection and hides nothing.
  private func finish(_ handle: ConnectionHandle, commits: Bool) throws {
    guard handle.isUsable else { return }
    do {
      // Not the caller's cancellation: a rollback is to be sent all the more then.
      _ = try statement(Cancellation(wake: wake), on: handle).run(script: commits ? "COMMIT" : "ROLLBACK")
    } catch {
      close()
      if commits { throw error }
    }
  }

  /// True while the connection is not known to be lost; a peer that vanished is noticed by the next statement.
  public nonisolated var isUsable: Bool { handle.withLock { $0 != nil } }

  /// The process ID that the server, or a pooler in its place, gave when we connected.
  public var backendPID: Int { open.map { Int(unsafe PQbackendPID($0.pointer)) } ?? 0 }

  /// A setting that the server reports by itself, such as `server_encoding` or `TimeZone`.
  public func reportedSetting(_ name: String) -> String? {
    guard let open, let value = unsafe PQparameterStatus(open.pointer, name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Quotes an identifier for use in SQL.
  ///
  /// - Throws: `PostgresError` where the text is not valid in the connection's encoding.
  public func quotedIdentifier(_ name: String) throws -> String {
    try unsafe quoted(name) { unsafe PQescapeIdentifier($0, $1, $2) }
  }

  /// Quotes a literal for use in SQL. Bind a parameter where one can stand.
  ///
  /// - Throws: `PostgresError` where the text is not valid in the connection's encoding.
  public func quotedLiteral(_ text: String) throws -> String {
    try unsafe quoted(text) { unsafe PQescapeLiteral($0, $1, $2) }
  }

  /// Closes the connection. A statement under way ends first.
  public func close() { handle.withLock { $0 = nil } }

  private var open: ConnectionHandle? { handle.withLock { $0 } }

  private func quoted(
    _ text: String, _ escape: (OpaquePointer, UnsafePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?
  ) throws -> String {
    guard let open else { throw PostgresError(message: "the connection is closed", isConnectionLost: true) }
    guard let quoted = unsafe escape(open.pointer, text, text.utf8.count) else {
      throw PostgresError(message: open.lastMessage)
    }
    defer { unsafe PQfreemem(quoted) }
    return unsafe String(cString: quoted)
  }

  private func statement(_ cancellation: Cancellation, on handle: ConnectionHandle) -> StatementRunner {
    StatementRunner(handle: handle, wake: wake, cancellation: cancellation)
  }

  /// Runs libpq work; a connection that it lost is closed.
  func perform<Result>(_ work: (ConnectionHandle) throws -> Result) throws -> Result {
    guard let open, open.isUsable else {
      throw PostgresError(message: "the connection is closed", isConnectionLost: true)
    }
    do {
      return try work(open)
    } catch var error as PostgresError {
      if error.isConnectionLost || !open.isUsable { close() }
      error.message = settings.redacted(error.message)
      throw error
    }
  }

  private func invoke<Result>(_ work: (Cancellation) throws -> Result, _ cancellation: Cancellation) throws -> Result {
    preconditionIsolated()
    return try work(cancellation)
  }

  /// Runs work that a cancelled task ends.
  func cancellable<Result: Sendable>(
    _ work: (Cancellation) throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    let cancellation = Cancellation(wake: wake)
    do {
      return try await withTaskCancellationHandler {
        // Through `self`: a closure that captures it keeps to the actor's thread, another one would run in the pool.
        try self.invoke(work, cancellation)
      } onCancel: {
        cancellation.raise()
      }
    } catch let error as PostgresError where cancellation.isRaised && error.isConnectionLost {
      throw CancellationError()
    }
  }
}
