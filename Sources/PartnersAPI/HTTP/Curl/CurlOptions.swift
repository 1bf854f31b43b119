import CLibcurl
import Conversions

/// Sets the options of a transfer and remembers the first that libcurl refused.
@safe final class CurlOptions {
  private let easy: UnsafeMutableRawPointer
  /// The first refusal, nil for none.
  private(set) var refusal: CURLcode?

  /// Makes a setter of a handle's options.
  init(easy: UnsafeMutableRawPointer) { unsafe self.easy = easy }

  /// Sets the request: URL, method and body.
  func setExchange(_ request: HTTPRequest) {
    set(CURLOPT_URL, request.url)
    let custom: String? = request.method == .patch ? request.method.rawValue : nil
    set(CURLOPT_CUSTOMREQUEST, custom)
    // Limits the age, in seconds, of an idle connection that is used again: the server may be about to close an older
    // one. libcurl sends a read again on a new connection if this one closes all the same; a write must not be sent
    // again, see `SingleRequest`, so its limit is shorter.
    set(CURLOPT_MAXAGE_CONN, request.method == .get ? 30 : 1)
    guard request.method != .get else { return set(CURLOPT_HTTPGET, 1) }
    set(CURLOPT_POST, 1)
    // Sets the size first: libcurl copies that many bytes. They are sent together with the head.
    let body = request.body ?? []
    note(unsafe conversiond_curl_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
    unsafe body.withUnsafeBytes { bytes in
      unsafe set(CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
  }

  /// Sets the rules of every transfer: none of them is configurable, but for the deadline.
  func setRules(_ options: HTTPOptions) {
    note(unsafe conversiond_curl_allow_only_http(easy))
    _ = unsafe conversiond_curl_leave_resolver_behind(easy)
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    // Keeps the path: otherwise libcurl collapses `/../`, and an ID leads to another endpoint.
    set(CURLOPT_PATH_AS_IS, 1)
    // Uses HTTP/1.1, one request at a time on a connection: HTTP/2 would do nothing better, and failures are plain to
    // read.
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    let timeout = max(1, Int(min(options.timeout.wholeMilliseconds, 86_400_000)))
    set(CURLOPT_TIMEOUT_MS, timeout)
    set(CURLOPT_CONNECTTIMEOUT_MS, min(timeout, 10_000))
    // Ends a connection at that age: one that is never idle would stay with the address that the name once had, while
    // the old server is up.
    set(CURLOPT_MAXLIFETIME_CONN, max(1, Int(options.connectionLifeMax.wholeMilliseconds / 1000)))
    set(CURLOPT_DNS_CACHE_TIMEOUT, HTTPOptions.namesKeptSeconds)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_TCP_KEEPIDLE, 30)
    set(CURLOPT_TCP_KEEPINTVL, 10)
    note(
      unsafe conversiond_curl_setopt_offset(
        easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(HTTPOptions.bodyBytesMax)))
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // Sets CURLHEADER_SEPARATE: a proxy that is asked for a tunnel does not see the key.
    set(CURLOPT_HEADEROPT, 1)
    // Decodes gzip, which a proxy, or the API, may send unasked. `AnswerSink` counts the decoded bytes.
    set(CURLOPT_ACCEPT_ENCODING, "gzip")
    if options.bypassesProxies { set(CURLOPT_NOPROXY, "*") }
    if let file = options.certificateAuthorities { set(CURLOPT_CAINFO, file) }
    set(CURLOPT_USERAGENT, options.userAgent)
  }

  /// Sets the objects that the callbacks act on: both must live until others are set, or none.
  func setContexts(_ sink: AnswerSink?, _ guardian: SingleRequest?) {
    let context = unsafe sink.map { unsafe Unmanaged.passUnretained($0).toOpaque() }
    unsafe set(CURLOPT_WRITEDATA, context)
    unsafe set(CURLOPT_HEADERDATA, context)
    unsafe set(CURLOPT_PREREQDATA, guardian.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
  }

  /// Sets the callbacks that take the answer and that allow a request.
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

  /// Hands libcurl's bytes to a sink and returns their number; any other number stops the transfer.
  private static func hand(
    _ data: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
    _ take: (AnswerSink, Span<UInt8>) -> Bool
  ) -> Int {
    guard let data = unsafe data, let context = unsafe context else { return 0 }
    let sink = unsafe Unmanaged<AnswerSink>.fromOpaque(context).takeUnretainedValue()
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
    let span = unsafe Span<UInt8>(_unsafeBytes: bytes)
    // Stops by a count that differs, which all versions take: CURL_WRITEFUNC_ERROR is only known to libcurl 7.87.0 and
    // later.
    return take(sink, span) ? count : (count == 0 ? 1 : 0)
  }
}
