/// The URL of the API, such as `https://offertown.net/api/v1/partners`: to this every path is appended.
///
/// RFC 3986 in the narrow form that an API needs: `https`, or `http` to this host, with a host, and without user, query,
/// fragment, dot segments and `%`.
public struct PartnersBaseURL: Hashable, Sendable, CustomStringConvertible {
  /// The API as its reference names it.
  public static let standard = PartnersBaseURL(
    normalised: "https://offertown.net/api/v1/partners", isLoopback: false)

  /// The URL without a slash at its end, its scheme and host in small letters.
  public let text: String
  /// True if the URL is on this host: no proxy is asked then.
  public let isLoopback: Bool

  /// The URL's text.
  public var description: String { text }

  /// The reason why a text is not the URL of an API. Never repeats the text, as a user name or a key may be part of it.
  public struct Refused: Error, Hashable {
    /// The reason, in words for the operator.
    public let message: String
  }

  private init(normalised text: String, isLoopback: Bool) { (self.text, self.isLoopback) = (text, isLoopback) }

  /// Reads a URL.
  ///
  /// - Throws: `Refused`.
  public init(_ text: String) throws(Refused) {
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
    let authority = try Self.authority(rest[..<slash])
    if scheme == "http", !authority.isLocal {
      throw Refused(message: "http would send the key in the open; write https (http is for this host alone)")
    }
    self.init(
      normalised: "\(scheme)://\(authority.text)\(try Self.path(rest[slash...]))", isLoopback: authority.isLocal)
  }

  private static let forbidden = Set("\"<>\\^`{|}".utf8)

  private static func authority(_ text: Substring) throws(Refused) -> (text: String, isLocal: Bool) {
    if text.contains("@") { throw Refused(message: "a base URL has no user or password (@)") }
    var host = text
    var port = ""
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
      guard let number = IPAddress.port(text[text.index(after: colon)...]) else {
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
