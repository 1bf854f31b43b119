internal import CLibpq
import Glibc

/// Owns a PGconn. Not thread-safe by itself: only the connection's actor uses it, on one thread at a time (PostgreSQL
/// manual, 34.20); Sendable so that the thread that connects can hand it over.
@safe final class ConnectionHandle: @unchecked Sendable {
  let pointer: OpaquePointer

  private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  /// Connects; blocks for as long as libpq takes: `connect_timeout` for each address, and the time of a name server.
  static func open(_ settings: ConnectionSettings) throws -> ConnectionHandle {
    let keywords = settings.parameters.map(\.keyword)
    let values = settings.parameters.map(\.value)
    let pointer = unsafe withCStrings(keywords) { keywords in
      unsafe withCStrings(values) { values in unsafe PQconnectdbParams(keywords, values, 1) }
    }
    guard let pointer = unsafe pointer else { throw PostgresError(message: "no memory to connect", kind: .other) }
    let handle = unsafe ConnectionHandle(pointer)
    guard handle.isUsable else { throw handle.refusal(settings) }
    // By default libpq prints notices to standard error.
    unsafe PQsetNoticeProcessor(pointer, { _, _ in }, nil)
    unsafe PQsetnonblocking(pointer, 1)
    return handle
  }

  /// True while libpq takes the connection for a good one.
  var isUsable: Bool { unsafe PQstatus(pointer) == CONNECTION_OK }

  /// The first line of libpq's last message.
  var lastMessage: String {
    guard let text = unsafe PQerrorMessage(pointer) else { return "" }
    return Self.firstLine(unsafe String(cString: text))
  }

  /// The first line of a message, without what libpq appends in the following ones.
  static func firstLine(_ message: String) -> String {
    String(message.split(whereSeparator: \.isNewline).first ?? "")
  }

  /// The error of a server that did not let us in. libpq tells no SQLSTATE of a refused connection, so the message's
  /// English words decide; in another language the kind is `unreachable`, which is retried all the same.
  private func refusal(_ settings: ConnectionSettings) -> PostgresError {
    let whole = unsafe PQerrorMessage(pointer).map { unsafe String(cString: $0) } ?? ""
    let message = settings.redacted(whole.split(whereSeparator: \.isNewline).joined(separator: "; "))
    let words = [
      "authentication failed", "no pg_hba.conf entry", "permission denied", "is not permitted to log in", "no password",
    ]
    let isRoleMissing = message.contains("role \"") && message.contains("does not exist")
    let isRefused =
      unsafe PQconnectionNeedsPassword(pointer) == 1 || isRoleMissing || words.contains { message.contains($0) }
    return PostgresError(message: message, isConnectionLost: true, kind: isRefused ? .permission : .unreachable)
  }

  deinit { unsafe PQfinish(pointer) }
}

/// Lends a nil-terminated array of C strings for the length of a call.
func withCStrings<Result>(
  _ strings: [String?], isTerminated: Bool = true, _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
) rethrows -> Result {
  var copies = unsafe strings.map { unsafe $0.flatMap { unsafe UnsafePointer(strdup($0)) } }
  if isTerminated { unsafe copies.append(nil) }
  defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
  return try unsafe copies.withUnsafeBufferPointer { try unsafe body($0.baseAddress) }
}
