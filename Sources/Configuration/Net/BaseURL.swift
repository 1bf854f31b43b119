/// The rules for `api.base_url` (RFC 3986 in the narrow form that an API needs).
enum BaseURL {
  struct Refused: Error, Equatable {
    var message: String
  }

  /// Returns the URL without a slash at its end, its scheme and host in small letters.
  ///
  /// A refusal never repeats the URL, as a user name or a key may be part of it.
  static func normalise(_ text: String) throws(Refused) -> String {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !Self.forbidden.contains($0) }) else {
      throw Refused(message: "a URL has no spaces, control characters or letters beyond ASCII (write a host as xn--…)")
    }
    guard let mark = text.firstRange(of: "://") else {
      throw Refused(message: "not a URL; write https:// and a host, such as https://offertown.net/api/v1/partners")
    }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { throw Refused(message: "the scheme of a URL here is https") }
    if text.contains("?") { throw Refused(message: "a base URL has no query (?)") }
    if text.contains("#") { throw Refused(message: "a base URL has no fragment (#)") }
    let rest = text[mark.upperBound...]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = try authority(rest[..<slash])
    if scheme == "http", !authority.isLocal {
      throw Refused(message: "http would send the key in the open; write https (http is for this host alone)")
    }
    return "\(scheme)://\(authority.text)\(try path(rest[slash...]))"
  }

  private static let forbidden = Set("\"<>\\^`{|}".utf8)

  private static func authority(_ text: Substring) throws(Refused) -> (text: String, isLocal: Bool) {
    if text.contains("@") { throw Refused(message: "a base URL has no user or password (@)") }
    var host = text
    var port = ""
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
      guard let number = ListenAddress.port(text[text.index(after: colon)...]) else {
        throw Refused(message: "a port is a number from 1 to 65535")
      }
      host = text[..<colon]
      port = ":\(number)"
    }
    if host.isEmpty { throw Refused(message: "the URL has no host") }
    let name = host.lowercased()
    if name.hasPrefix("["), name.hasSuffix("]") {
      let address = String(name.dropFirst().dropLast())
      guard case .v6? = IPAddress(address) else { throw Refused(message: "no IPv6 address stands between [ and ]") }
      return (name + port, LocalHost.contains(address))
    }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isHostByte) }) else {
      throw Refused(message: "the URL's host is not a name or an address")
    }
    return (name + port, LocalHost.contains(name))
  }

  private static func path(_ text: Substring) throws(Refused) -> String {
    let segments = text.split(separator: "/", omittingEmptySubsequences: true)
    guard !segments.contains(".."), !segments.contains("."), !text.contains("%") else {
      throw Refused(message: "the URL's path holds a dot segment or a %; write it out")
    }
    return segments.map { "/\($0)" }.joined()
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    case UInt8(ascii: "_"): true
    default: false
    }
  }
}
