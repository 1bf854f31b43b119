import CLibcurl
import Conversions

/// Sets the options of a transfer and remembers the first that libcurl refused.
@safe final class CurlOptions {
  private let easy: UnsafeMutableRawPointer
  /// The first refusal, nil for none.
  private(set) var refusal: CURLcode?

  /// For a handle.
  init(easy: UnsafeMutableRawPointer) { unsafe self.easy = easy }

  /// What is asked for.
  func setExchange(_ request: HTTPRequest) {
    set(CURLOPT_URL, request.url)
    let custom: String? = request.method == .patch ? request.method.rawValue : nil
    set(CURLOPT_CUSTOMREQUEST, custom)
    // An older idle connection is not used again: the server may be about to close it. A read that meets one that dies all
    // the same is sent again by libcurl on a new one; a write can't be, see `SingleRequest`, and need not meet any.
    set(CURLOPT_MAXAGE_CONN, request.method == .get ? 30 : 1)
    guard request.method != .get else { return set(CURLOPT_HTTPGET, 1) }
    set(CURLOPT_POST, 1)
    // Copied, after its size was told; and sent together with the head.
    let body = request.body ?? []
    note(unsafe conversiond_curl_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
    unsafe body.withUnsafeBytes { bytes in
      unsafe set(CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
  }

  /// How it may travel: what is set here is never configurable, but for the deadline.
  func setRules(_ options: HTTPOptions) {
    note(unsafe conversiond_curl_allow_only_http(easy))
    _ = unsafe conversiond_curl_leave_resolver_behind(easy)
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    // Without it libcurl collapses `/../`, and an ID ends in another endpoint.
    set(CURLOPT_PATH_AS_IS, 1)
    // One request at a time on a connection: nothing that HTTP/2 would do better, and failures that are plain to read.
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    let timeout = max(1, Int(min(options.timeout.wholeMilliseconds, 86_400_000)))
    set(CURLOPT_TIMEOUT_MS, timeout)
    set(CURLOPT_CONNECTTIMEOUT_MS, min(timeout, 10_000))
    // A connection that is never idle would stay with the address that the name once had, while the old server is up.
    set(CURLOPT_MAXLIFETIME_CONN, max(1, Int(options.connectionLifeMax.wholeMilliseconds / 1000)))
    set(CURLOPT_DNS_CACHE_TIMEOUT, HTTPOptions.namesKeptSeconds)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_TCP_KEEPIDLE, 30)
    set(CURLOPT_TCP_KEEPINTVL, 10)
    note(
      unsafe conversiond_curl_setopt_offset(
        easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(HTTPOptions.bodyBytesMax)))
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // CURLHEADER_SEPARATE: a proxy that is asked for a tunnel does not see the key.
    set(CURLOPT_HEADEROPT, 1)
    // A proxy, or the API, may answer with gzip unasked. What is counted is what comes out of it.
    set(CURLOPT_ACCEPT_ENCODING, "gzip")
    if options.bypassesProxies { set(CURLOPT_NOPROXY, "*") }
    if let file = options.certificateAuthorities { set(CURLOPT_CAINFO, file) }
    set(CURLOPT_USERAGENT, options.userAgent)
  }

  /// Whom the callbacks are for: both must live until others are set, or none.
  func setContexts(_ sink: AnswerSink?, _ guardian: SingleRequest?) {
    let context = unsafe sink.map { unsafe Unmanaged.passUnretained($0).toOpaque() }
    unsafe set(CURLOPT_WRITEDATA, context)
    unsafe set(CURLOPT_HEADERDATA, context)
    unsafe set(CURLOPT_PREREQDATA, guardian.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
  }

  /// Where the answer goes, and who is asked before a request.
  func setCallbacks() {
    note(
      unsafe conversiond_curl_setopt_callback(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
        unsafe CurlOptions.hand(data, size * count, context) { sink, part in sink.take(body: part) }
      })
    note(
      unsafe conversiond_curl_setopt_callback(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
        unsafe CurlOptions.hand(data, size * count, context) { sink, part in sink.take(headerLine: part) }
      })
    note(
      unsafe conversiond_curl_setopt_before_request(easy) { context, _, _, _, _ in
        guard let context = unsafe context else { return CURL_PREREQFUNC_OK }
        let guardian = unsafe Unmanaged<SingleRequest>.fromOpaque(context).takeUnretainedValue()
        return guardian.mayBegin() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      })
  }

  /// Sets an option that is a pointer.
  func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
    note(unsafe conversiond_curl_setopt_pointer(easy, option, value))
  }

  /// Sets an option that is a list.
  func set(_ option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
    note(unsafe conversiond_curl_setopt_list(easy, option, value))
  }

  private func set(_ option: CURLoption, _ value: Int) {
    note(unsafe conversiond_curl_setopt_long(easy, option, value))
  }

  private func set(_ option: CURLoption, _ value: String?) {
    note(unsafe conversiond_curl_setopt_string(easy, option, value))
  }

  private func note(_ code: CURLcode) {
    if code != CURLE_OK, refusal == nil { refusal = code }
  }

  /// Hands libcurl's bytes to a sink; any other number than theirs stops the transfer.
  private static func hand(
    _ data: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
    _ take: (AnswerSink, Span<UInt8>) -> Bool
  ) -> Int {
    guard let data = unsafe data, let context = unsafe context else { return 0 }
    let sink = unsafe Unmanaged<AnswerSink>.fromOpaque(context).takeUnretainedValue()
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
    let span = unsafe Span<UInt8>(_unsafeBytes: bytes)
    // CURL_WRITEFUNC_ERROR is only known to libcurl 7.87.0 and later; a count that differs means the same to all.
    return take(sink, span) ? count : (count == 0 ? 1 : 0)
  }
}
