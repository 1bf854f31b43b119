internal import CLibpq
import Glibc

extension PostgresConnection {
  /// Begins to listen on a channel (PostgreSQL manual, LISTEN).
  ///
  /// - Returns: False where a pooler stands between: it would hand the registration on to another client's session.
  /// - Throws: `PostgresError`, as on a standby, which takes no LISTEN; `CancellationError`.
  public func listen(to channel: String) async throws -> Bool {
    let own = try await query("SELECT pg_backend_pid()::text").text(0, 0)
    guard own == String(backendPID) else { return false }
    _ = try await query("LISTEN \(quotedIdentifier(channel))")
    return true
  }

  /// Waits for a notification on a channel that this connection listens to; all that came meanwhile count as one.
  ///
  /// Occupies the connection's thread, which sleeps in poll(2).
  ///
  /// - Throws: `PostgresError` when the connection is lost, `CancellationError`.
  public func notification() async throws {
    try await cancellable { cancellation in
      try self.perform { handle in
        let waiting = NotificationWait(connection: handle, wake: self.wake, cancellation: cancellation)
        try waiting.wait()
      }
    }
  }
}

/// One wait for the server to send a notification.
struct NotificationWait {
  let connection: ConnectionHandle
  let wake: EventDescriptor
  let cancellation: Cancellation

  func wait() throws {
    while !takeAll() {
      if cancellation.isRaised { throw CancellationError() }
      var descriptors = [
        pollfd(fd: unsafe PQsocket(connection.pointer), events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      // A peer that vanished shows by the connection's keepalives.
      let count = unsafe poll(&descriptors, nfds_t(descriptors.count), -1)
      guard count >= 0 || errno == EINTR else { throw lost() }
      if descriptors[1].revents != 0 { wake.drain() }
      if descriptors[0].revents != 0 {
        guard unsafe PQconsumeInput(connection.pointer) == 1 else { throw lost() }
      }
    }
  }

  /// Takes every notification that has come; false where there was none.
  private func takeAll() -> Bool {
    var found = false
    while let notification = unsafe PQnotifies(connection.pointer) {
      unsafe PQfreemem(notification)
      found = true
    }
    return found
  }

  private func lost() -> PostgresError {
    let message = connection.lastMessage
    return PostgresError(
      message: message.isEmpty ? "the connection to the server was lost" : message, isConnectionLost: true)
  }
}
