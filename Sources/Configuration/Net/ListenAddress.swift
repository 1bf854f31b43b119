import Conversions

/// The address and port that a listener binds.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// An IPv4 or IPv6 address without brackets, or `localhost`.
  public var host: String
  /// The port, from 1 to 65535.
  public var port: UInt16

  /// Makes an address of these parts, which are not checked.
  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port` or `[host]:port`; `nil` for anything else, and for names other than `localhost`.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    guard let port = IPAddress.port(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard case .v6? = IPAddress(host) else { return nil }
    } else if host != "localhost" {
      guard case .v4? = IPAddress(host) else { return nil }
    }
    self.init(host: host, port: port)
  }

  /// True if only programs on this host can connect.
  public var isLoopback: Bool { LocalHost.contains(host) }

  /// The address as it is written in the configuration.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
