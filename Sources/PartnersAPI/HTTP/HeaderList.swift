import CLibcurl

/// The header lines of a request, as libcurl takes them.
@safe final class HeaderList {
  /// The first, nil for none.
  private(set) var first: UnsafeMutablePointer<curl_slist>?

  /// The lines of a request. `Expect:` is taken out: without an answer to it each write would wait for a second.
  init(_ request: HTTPRequest, _ options: HTTPOptions) {
    append("X-API-Key: \(options.apiKey.secret)")
    append("Accept: application/json")
    if request.method != .get { append("Content-Type: application/json") }
    append("Expect:")
  }

  deinit { unsafe curl_slist_free_all(first) }

  private func append(_ line: String) {
    if let longer = unsafe curl_slist_append(first, line) { unsafe first = longer }
  }
}
