import CLibcurl
import Conversions
import Synchronization

/// One request on its way through libcurl, and what must live as long as it is: the callbacks' context, the body.
///
/// Belongs to the thread that drives it, but for `cancel` and `isCancelled`.
@safe final class CurlTransfer: Sendable {
  private let isRequested = Atomic(false)
  let request: HTTPRequest
  // Touched by the driving thread alone, libcurl's callbacks included.
  nonisolated(unsafe) let sink = AnswerSink()
  nonisolated(unsafe) let guardian = SingleRequest()
  private let tell: @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void

  /// A request whose result is told once.
  init(_ request: HTTPRequest, tell: @escaping @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void) {
    (self.request, self.tell) = (request, tell)
  }

  /// Whether the transfer is to end.
  var isCancelled: Bool { isRequested.load(ordering: .acquiring) }

  /// Has it end; whoever drives it must be woken.
  func cancel() { isRequested.store(true, ordering: .releasing) }

  /// Tells how it ended; to be called once.
  func end(_ result: Result<HTTPAnswer, TransportFailure>) { tell(result) }
}

/// Lets a write's request be made once and never again.
///
/// Where a kept connection dies before a byte of the answer, libcurl sends a request once more by itself, and tells
/// nobody. A server that answers replays with 409 then refuses what it has just done for us, and it would look like
/// another program's doing. libcurl asks before each request on a connection (CURLOPT_PREREQFUNCTION): the second time the
/// answer is no.
final class SingleRequest {
  private var isMade = false

  /// Whether the request may be made.
  func mayBegin() -> Bool {
    defer { isMade = true }
    return !isMade
  }
}
