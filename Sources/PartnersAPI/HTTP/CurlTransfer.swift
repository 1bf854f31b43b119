import CLibcurl
import Conversions
import Synchronization

/// One request on its way through libcurl, and what must live as long as it is: the callbacks' context, the header lines,
/// the body.
///
/// Belongs to the thread that drives it, but for `cancel` and `isCancelled`.
@safe final class CurlTransfer: Sendable {
  private let isRequested = Atomic(false)
  private let isEnded = Atomic(false)
  let request: HTTPRequest
  let options: HTTPOptions
  // Touched by the driving thread alone, libcurl's callbacks included.
  nonisolated(unsafe) let sink = AnswerSink()
  nonisolated(unsafe) let upload: UploadBody
  nonisolated(unsafe) let headers: HeaderList
  private let tell: @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void

  /// A request whose result is told once.
  init(
    _ request: HTTPRequest, _ options: HTTPOptions,
    tell: @escaping @Sendable (Result<HTTPAnswer, TransportFailure>) -> Void
  ) {
    (self.request, self.options, self.tell) = (request, options, tell)
    unsafe upload = UploadBody(request.body ?? [])
    unsafe headers = HeaderList(request, options)
  }

  /// Whether the transfer is to end.
  var isCancelled: Bool { isRequested.load(ordering: .acquiring) }

  /// Has it end; whoever drives it must be woken.
  func cancel() { isRequested.store(true, ordering: .releasing) }

  /// Tells how it ended.
  func end(_ result: Result<HTTPAnswer, TransportFailure>) {
    guard !isEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
    tell(result)
  }
}

/// The body of a request, given to libcurl once and never again.
///
/// Where a kept connection dies before a byte of the answer, libcurl sends a request once more by itself, and tells
/// nobody. A server that answers replays with 409 then refuses what it has just done for us, and it would look like
/// another program's doing. A body that libcurl must ask for can't be sent twice: to begin again it would have to rewind,
/// for which it is given no function (CURLOPT_SEEKFUNCTION), so that the transfer fails with CURLE_SEND_FAIL_REWIND; and
/// should a version of it ask from the beginning all the same, this refuses.
final class UploadBody {
  /// What aborts a transfer (CURL_READFUNC_ABORT, which Swift does not import).
  private static let abort = 0x1000_0000

  private let bytes: [UInt8]
  private var offset = 0
  private var isSpent = false

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  /// Copies the next bytes, at most so many; 0 once at the end.
  func copy(into target: UnsafeMutableRawBufferPointer) -> Int {
    guard !isSpent else { return Self.abort }
    let part = bytes[offset...].prefix(target.count)
    unsafe target.copyBytes(from: part)
    offset += part.count
    // Told the size, libcurl asks no more once it has all of it.
    if part.isEmpty || offset == bytes.count { isSpent = true }
    return part.count
  }
}
