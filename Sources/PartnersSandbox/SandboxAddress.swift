/// The address at which a sandbox listens.
public struct SandboxAddress: Sendable, Hashable {
  /// The host as a URL names it; an IPv6 address stands in brackets.
  public let host: String
  /// The port, never 0.
  public let port: UInt16

  /// The base URL of the API: `http://127.0.0.1:PORT/api/v1/partners`.
  public var baseURL: String { "http://\(host):\(port)\(Route.prefix)" }

  /// The URL of the control endpoints: `http://127.0.0.1:PORT/_sandbox`.
  public var controlURL: String { "http://\(host):\(port)\(ControlService.prefix)" }
}
