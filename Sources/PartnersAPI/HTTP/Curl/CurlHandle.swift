import CLibcurl
import Conversions

/// One libcurl easy handle: a transfer's options, and what is known of it afterwards. Belongs to one thread at a time.
@safe final class CurlHandle {
  let easy: UnsafeMutableRawPointer
  /// The easy handle's address, which tells it from other handles.
  var number: Int { unsafe Int(bitPattern: easy) }
  private let errorText: UnsafeMutablePointer<CChar>
  private let errorBytesMax = Int(CURL_ERROR_SIZE)

  /// Makes a handle without a transfer; nil if libcurl can't make one, for want of memory, or refuses one of the
  /// options: each of them is needed.
  init?(_ options: HTTPOptions) {
    guard let easy = unsafe curl_easy_init() else { return nil }
    unsafe self.easy = easy
    unsafe errorText = .allocate(capacity: errorBytesMax)
    unsafe errorText.initialize(repeating: 0, count: errorBytesMax)
    let setup = unsafe CurlOptions(easy: easy)
    unsafe setup.set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    setup.setRules(options)
    setup.setCallbacks()
    guard setup.refusal == nil else { return nil }
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe errorText.deallocate()
  }

  /// Prepares the handle for a transfer; returns the first refusal of an option, after which the transfer must not
  /// begin.
  func configure(_ transfer: CurlTransfer, _ headers: HeaderList) -> CURLcode? {
    unsafe errorText.pointee = 0
    let setup = unsafe CurlOptions(easy: easy)
    setup.setExchange(transfer.request)
    unsafe setup.set(CURLOPT_HTTPHEADER, headers.first)
    unsafe setup.setContexts(transfer.sink, transfer.request.method == .get ? nil : transfer.guardian)
    return setup.refusal
  }

  /// Clears it for the next transfer: the callbacks' context ends with a transfer.
  func clear() {
    let setup = unsafe CurlOptions(easy: easy)
    setup.setContexts(nil, nil)
  }

  /// Returns the result of a transfer that libcurl ended.
  func result(_ code: CURLcode, _ transfer: CurlTransfer) -> Result<HTTPAnswer, TransportFailure> {
    let sink = unsafe transfer.sink
    guard code == CURLE_OK else { return .failure(facts(code, sink).failure) }
    return .success(
      HTTPAnswer(
        status: long(CURLINFO_RESPONSE_CODE), date: sink.date, retryAfter: sink.retryAfter,
        contentType: sink.contentType, body: sink.body, duration: duration))
  }

  /// The failure of a transfer that is cancelled now.
  var cancelled: TransportFailure {
    TransportFailure(kind: .cancelled, message: "cancelled", mayHaveBeenDone: requestBytes > 0, duration: duration)
  }

  private func facts(_ code: CURLcode, _ sink: AnswerSink) -> TransferFacts {
    let words = unsafe String(cString: errorText)
    let message = words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
    return TransferFacts(
      code: code, message: message, requestBytes: requestBytes,
      isNameResolved: offset(CURLINFO_NAMELOOKUP_TIME_T) > 0, isReadyToSend: offset(CURLINFO_PRETRANSFER_TIME_T) > 0,
      isTooLarge: sink.isTooLarge, contentCoding: sink.contentCoding, duration: duration)
  }

  private var requestBytes: Int { long(CURLINFO_REQUEST_SIZE) }

  private var duration: Duration { .microseconds(offset(CURLINFO_TOTAL_TIME_T)) }

  private func long(_ info: CURLINFO) -> Int {
    var value = 0
    _ = unsafe conversiond_curl_getinfo_long(easy, info, &value)
    return value
  }

  private func offset(_ info: CURLINFO) -> Int64 {
    var value: curl_off_t = 0
    _ = unsafe conversiond_curl_getinfo_offset(easy, info, &value)
    return Int64(value)
  }
}
