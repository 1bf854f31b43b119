import CLibcurl

/// The header lines of requests, as libcurl takes them.
@safe final class HeaderList {
  /// The first line, nil for none.
  private(set) var first: UnsafeMutablePointer<curl_slist>?

  /// Makes the lines of a client's requests, with a body or without. Takes out `Expect:`, as without an answer to it
  /// each write would wait for a second; and `Accept-Encoding:`, as codings are only decoded, not asked for.
  init(_ options: HTTPOptions, hasBody: Bool) {
    append("X-API-Key: \(options.apiKey.secret)")
    append("Accept: application/json")
    if hasBody { append("Content-Type: application/json") }
    append("Expect:")
    append("Accept-Encoding:")
  }

  deinit { unsafe curl_slist_free_all(first) }

  private func append(_ line: String) {
    if let longer = unsafe curl_slist_append(first, line) { unsafe first = longer }
  }
}
