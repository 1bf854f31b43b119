import CLibcurl
import Conversions
import Synchronization

/// One request that libcurl sends, and all that must live as long: the callbacks' context, the body.
///
/// Belongs to the thread that drives it, but for `cancel` and `isCancelled`.
@safe final class CurlTransfer: Sendable {
  private let isRequested = Atomic(false)
  let request: HTTPRequest
  // Used by the driving thread alone, libcurl's callbacks included.
  nonisolated(unsafe) let sink = AnswerSink()
  nonisolated(unsafe) let guardian = SingleRequest()
  private let finish: @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void

  /// Makes a transfer of a request; `finish` is called once with its result.
  init(_ request: HTTPRequest, finish: @escaping @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void) {
    (self.request, self.finish) = (request, finish)
  }

  /// True once the transfer is to end.
  var isCancelled: Bool { isRequested.load(ordering: .acquiring) }

  /// Asks for its end; the caller must then wake the thread that drives it.
  func cancel() { isRequested.store(true, ordering: .releasing) }

  /// Reports the result; to be called once.
  func end(_ result: Result<HTTPAnswer, TransportFailure>) { finish(result) }
}

/// Lets a write's request be made once and never again.
///
/// Prevents a second request by libcurl: if a kept connection closes before a byte of the answer, libcurl sends a
/// request once more by itself, and reports nothing. A server that answers replays with 409 then refuses what it has
/// just done for us, and it would look like another program's doing. libcurl asks before each request on a connection
/// (CURLOPT_PREREQFUNCTION): the second time the answer is no.
final class SingleRequest {
  private var isMade = false

  /// Returns true at the first call only: the request may then be made.
  func mayBegin() -> Bool {
    defer { isMade = true }
    return !isMade
  }
}
