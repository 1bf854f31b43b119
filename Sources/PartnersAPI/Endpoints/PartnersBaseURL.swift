/// The URL of the API, such as `https://offertown.net/api/v1/partners`: to this every path is appended.
public struct PartnersBaseURL: Hashable, Sendable, CustomStringConvertible {
  /// The URL without a slash at its end.
  public let text: String
  /// The host, without a port; an IPv6 address in its brackets.
  public let host: String
  /// True if the connection is encrypted.
  public let isEncrypted: Bool

  /// Takes an http or https URL with a host and without user, query, fragment, white space or `.` segments; nil for
  /// anything else.
  public init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
    guard !text.contains(where: { "?#@".contains($0) }), let mark = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { return nil }
    var rest = text[mark.upperBound...]
    while rest.last == "/" { rest.removeLast() }
    let segments = rest.split(separator: "/", omittingEmptySubsequences: false)
    guard let authority = segments.first, let host = Self.host(authority) else { return nil }
    guard !segments.dropFirst().contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
    self.text = "\(scheme)://\(rest)"
    self.host = host
    isEncrypted = scheme == "https"
  }

  /// The URL's text.
  public var description: String { text }

  /// True if the URL is on this host: no proxy is asked then.
  public var isLoopback: Bool {
    host == "localhost" || host == "[::1]" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
  }

  /// True if the key would cross a network in clear, which `check` should warn of.
  public var sendsKeyInClear: Bool { !isEncrypted && !isLoopback }

  private static func host(_ authority: Substring) -> String? {
    var host = authority
    let end = authority.first == "[" ? authority.lastIndex(of: "]") : authority.startIndex
    guard let end else { return nil }
    if let colon = authority[end...].lastIndex(of: ":") {
      guard let port = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
      host = authority[..<colon]
    }
    return host.isEmpty || host == "[]" ? nil : host.lowercased()
  }
}
