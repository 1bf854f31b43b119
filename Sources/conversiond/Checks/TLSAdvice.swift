import Foundation

/// The advice for a TLS connection that failed, by the cause that OpenSSL names.
enum TLSAdvice {
  /// Variables by which other programs find certificate authorities, and which libcurl doesn't read.
  private static let unread = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"]

  static func advice(
    for message: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    let words = message.lowercased()
    func names(_ causes: String...) -> Bool { causes.contains { words.contains($0) } }
    if names("protocol version", "unsupported protocol", "no protocols available", "version too low") {
      return "the server speaks no TLS 1.2 or later, which is the least that is accepted here; its owner must allow it"
    }
    if names("wrong version number", "packet length too long", "http request") {
      return "no TLS is spoken at that port: see the scheme and port of api.base_url, and a proxy's variables"
    }
    if names("expired", "not yet valid") {
      return "the certificate is out of its time: see the host's clock first, then tell the API's owner"
    }
    if names("subject name", "does not match", "hostname mismatch") {
      return "the certificate is for another name than the host in api.base_url"
    }
    if names("certificate", "issuer", "self-signed", "self signed") {
      let given = unread.filter { environment[$0] != nil }
      let variables =
        given.isEmpty
        ? "" : "\(given.joined(separator: ", ")) \(given.count == 1 ? "is" : "are") not read here; "
      return variables + "the certificate is not trusted: put a private authority's certificate into "
        + "/usr/local/share/ca-certificates/NAME.crt and run update-ca-certificates"
    }
    return "the TLS connection was refused; never worked around: see the host's clock and what the server requires"
  }
}
