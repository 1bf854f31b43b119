import CLibcurl
import Conversions

/// One libcurl easy handle in a multi handle of its own, which keeps the connection from one request to the next.
///
/// Blocks while it transfers, and belongs to one thread at a time. The multi handle is there for two things that
/// curl_easy_perform can't do: curl_multi_wakeup ends a transfer at once, and its connection cache outlives
/// curl_easy_reset, so that each request starts from clean options.
@safe final class CurlSession {
  private let easy: UnsafeMutableRawPointer
  private let multi: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>
  private let errorBytesMax = Int(CURL_ERROR_SIZE)

  private static let isGloballyReady: Bool = conversiond_curl_global_init() == CURLE_OK

  /// A session without a connection yet; nil where libcurl can't start, for want of memory.
  init?() {
    guard Self.isGloballyReady, let easy = unsafe curl_easy_init() else { return nil }
    guard let multi = unsafe curl_multi_init() else {
      unsafe curl_easy_cleanup(easy)
      return nil
    }
    unsafe (self.easy, self.multi) = (easy, multi)
    unsafe errorText = .allocate(capacity: errorBytesMax)
    unsafe errorText.initialize(repeating: 0, count: errorBytesMax)
    _ = unsafe conversiond_curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, 1)
  }

  deinit {
    // In this order: https://curl.se/libcurl/c/curl_multi_cleanup.html
    unsafe curl_easy_cleanup(easy)
    _ = unsafe curl_multi_cleanup(multi)
    unsafe errorText.deallocate()
  }

  /// What ends the transfer that runs, from any thread.
  func cancellation() -> TransferCancellation { unsafe TransferCancellation(multi: multi) }

  /// Sends a request and waits for the whole answer, the deadline, or the cancellation.
  func perform(
    _ request: HTTPRequest, _ options: HTTPOptions, _ cancellation: TransferCancellation
  ) -> Result<HTTPAnswer, TransportFailure> {
    let sink = AnswerSink()
    let headers = HeaderList(request, options)
    return withExtendedLifetime((sink, headers)) {
      unsafe errorText.pointee = 0
      if let code = unsafe configure(request, options, sink, headers.first) {
        defer { detach() }
        return .failure(facts(code, sink).failure)
      }
      guard let code = drive(cancellation) else {
        let sent = requestBytes > 0
        detach()
        return .failure(
          TransportFailure(kind: .cancelled, message: "cancelled", mayHaveBeenDone: sent, duration: duration))
      }
      defer { detach() }
      guard code == CURLE_OK else { return .failure(facts(code, sink).failure) }
      return .success(
        HTTPAnswer(
          status: long(CURLINFO_RESPONSE_CODE), date: sink.date, retryAfter: sink.retryAfter,
          contentType: sink.contentType, body: sink.body, duration: duration))
    }
  }

  /// Drives the transfer to its end; nil where it was cancelled before.
  private func drive(_ cancellation: TransferCancellation) -> CURLcode? {
    guard unsafe curl_multi_add_handle(multi, easy) == CURLM_OK else { return CURLE_FAILED_INIT }
    var running: Int32 = 1
    while true {
      if cancellation.isCancelled { return nil }
      guard unsafe curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
      if running == 0 { break }
      // Returns sooner for anything that happens, libcurl's own deadlines and the wake-up included.
      guard unsafe curl_multi_poll(multi, nil, 0, 1000, nil) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
    }
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      if unsafe message.pointee.msg == CURLMSG_DONE { return unsafe message.pointee.data.result }
    }
    return CURLE_FAILED_INIT
  }

  private func detach() {
    _ = unsafe curl_multi_remove_handle(multi, easy)
    // The callbacks' context ends with the request; nothing may call it any more.
    unsafe curl_easy_reset(easy)
  }

  private func facts(_ code: CURLcode, _ sink: AnswerSink) -> TransferFacts {
    let words = unsafe String(cString: errorText)
    let message = words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
    return TransferFacts(
      code: code, message: message, requestBytes: requestBytes,
      isNameResolved: offset(CURLINFO_NAMELOOKUP_TIME_T) > 0, isReadyToSend: offset(CURLINFO_PRETRANSFER_TIME_T) > 0,
      isTooLarge: sink.isTooLarge, duration: duration)
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

  /// Sets every option anew; the first that libcurl refuses stops the request, as each of them is there for a reason.
  private func configure(
    _ request: HTTPRequest, _ options: HTTPOptions, _ sink: AnswerSink, _ headers: UnsafeMutablePointer<curl_slist>?
  ) -> CURLcode? {
    let setup = unsafe CurlOptions(easy: easy)
    unsafe setup.set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    setup.setExchange(request)
    setup.setRules(options)
    unsafe setup.set(CURLOPT_HTTPHEADER, headers)
    setup.setSink(sink)
    return setup.refusal
  }
}
