internal import CLibpq
import Glibc

/// Sends one statement through libpq, waits for it, and takes its answer apart. Runs on the connection's thread.
///
/// Waits in poll(2) rather than in PQexec, so that a cancelled task, or a server that says nothing at all, ends it.
struct StatementRun {
  /// The time that a cancelled statement may still take before the connection is given up.
  static let graceMax = Duration.seconds(5)

  let connection: ConnectionHandle
  let wake: EventDescriptor
  let cancellation: Cancellation
  /// The time by which an answer must have come.
  var deadline: ContinuousClock.Instant
  private var request: CancelRequest?
  private var isCancelled = false

  init(
    connection: ConnectionHandle, wake: EventDescriptor, cancellation: Cancellation, deadline: ContinuousClock.Instant
  ) {
    self.connection = connection
    self.wake = wake
    self.cancellation = cancellation
    self.deadline = deadline
  }

  /// Sends one statement with its parameters bound (extended protocol).
  mutating func run(
    _ sql: String, _ parameters: [PostgresParameter], format: PostgresRows.Format
  ) throws -> PostgresRows {
    guard parameters.allSatisfy(\.isSendable) else {
      throw PostgresError(sqlState: .characterNotInRepertoire, message: "a parameter holds a NUL character")
    }
    guard !sql.utf8.contains(0) else { throw PostgresError(message: "the statement holds a NUL character") }
    let sent = unsafe withCStrings(parameters.map(\.text)) { values in
      unsafe PQsendQueryParams(connection.pointer, sql, Int32(parameters.count), nil, values, nil, nil, format.rawValue)
    }
    guard let last = try finish(sent).last else { throw lost() }
    return last
  }

  /// Sends statements without parameters, several in one round trip (simple protocol); returns the rows of each.
  mutating func run(script: String) throws -> [PostgresRows] {
    try finish(unsafe PQsendQuery(connection.pointer, script))
  }

  private mutating func finish(_ sent: Int32) throws -> [PostgresRows] {
    guard sent == 1 else { throw lost() }
    var results: [ResultHandle] = []
    var failure: ResultHandle?
    while let result = try nextResult() {
      switch result.status {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: results.append(result)
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        throw PostgresError(message: "COPY is not a query", isConnectionLost: true)
      default: failure = failure ?? result
      }
    }
    try endCancelRequest()
    if isCancelled { throw CancellationError() }
    if let failure { throw error(failure) }
    guard !results.isEmpty else { throw lost() }
    return results.map(PostgresRows.init)
  }

  /// The next result, nil after the last.
  private mutating func nextResult() throws -> ResultHandle? {
    var isFlushed = false
    while true {
      if !isFlushed {
        let result = unsafe PQflush(connection.pointer)
        guard result >= 0 else { throw lost() }
        isFlushed = result == 0
      }
      if isFlushed, unsafe PQisBusy(connection.pointer) == 0 { break }
      try wait(toWrite: !isFlushed)
      guard unsafe PQconsumeInput(connection.pointer) == 1 else { throw lost() }
    }
    guard let result = unsafe PQgetResult(connection.pointer) else { return nil }
    return unsafe ResultHandle(result)
  }

  /// Waits until the socket has something for us, or we are woken.
  private mutating func wait(toWrite: Bool) throws {
    handleCancellation()
    let remaining = deadline - .now
    guard remaining > .zero else {
      if isCancelled { throw lostToCancellation() }
      throw PostgresError(message: "the server did not answer in time", isConnectionLost: true)
    }
    var descriptors = [
      pollfd(
        fd: unsafe PQsocket(connection.pointer), events: Int16(POLLIN) | (toWrite ? Int16(POLLOUT) : 0), revents: 0),
      pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    let milliseconds = remaining.components.seconds * 1000 + remaining.components.attoseconds / 1_000_000_000_000_000
    let count = unsafe poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: milliseconds + 1))
    guard count >= 0 || errno == EINTR else { throw lost() }
    if descriptors[1].revents != 0 { wake.drain() }
  }

  /// Sends the cancel request, once, and gives the server a moment to obey it.
  private mutating func handleCancellation() {
    guard cancellation.isRaised, !isCancelled else { return }
    isCancelled = true
    deadline = min(deadline, .now + Self.graceMax)
    request = CancelRequest(connection, wake: wake)
    request?.send()
  }

  /// Waits until the cancel request is over, so that it can't hit the connection's next statement.
  private mutating func endCancelRequest() throws {
    while let request, !request.isOver {
      let remaining = deadline - .now
      guard remaining > .zero else { throw lostToCancellation() }
      var descriptor = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
      _ = unsafe poll(&descriptor, 1, 50)
      if descriptor.revents != 0 { wake.drain() }
    }
  }

  private func lost() -> PostgresError {
    let message = connection.lastMessage
    return PostgresError(
      message: message.isEmpty ? "the connection to the server was lost" : message, isConnectionLost: true)
  }

  private func lostToCancellation() -> PostgresError {
    PostgresError(message: "cancelled, and the server did not confirm it in time", isConnectionLost: true)
  }

  private func error(_ result: ResultHandle) -> PostgresError {
    guard let code = result.errorField("C") else { return lost() }
    return PostgresError(
      sqlState: SQLState(rawValue: code), message: ConnectionHandle.firstLine(result.errorField("M") ?? ""),
      detail: result.errorField("D"), hint: result.errorField("H"),
      position: result.errorField("P").flatMap { Int($0) },
      isConnectionLost: !connection.isUsable)
  }
}
