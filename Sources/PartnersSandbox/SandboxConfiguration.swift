/// The behaviour of a sandbox.
public struct SandboxConfiguration: Sendable {
  /// The answer to the replay of a conversion with the same transaction ID.
  public enum ConversionReplay: Sendable, Hashable {
    /// 200 with the original result, as API reference, Report a conversion, states.
    case idempotent
    /// 409 even so: a client survives both.
    case alwaysConflict
  }

  /// The key that is accepted unless others are set.
  public static let defaultKey = "oft_5a0d60c0ffee5a0d60c0ffee5a0d60c0"
  /// The partner that `defaultKey` identifies.
  public static let defaultPartner = "partner_sandbox"

  /// The IP address to listen on, or `localhost`.
  public var host = "127.0.0.1"
  /// The port to listen on; 0 takes any that is free.
  public var port: UInt16 = 0
  /// True if `host` may be another than loopback. The control endpoints take no key, so any program that can connect
  /// can order faults and read every referral.
  public var allowsOtherHosts = false
  /// The keys that are accepted, and the partner each identifies.
  public var apiKeys = [Self.defaultKey: Self.defaultPartner]
  /// Keys of partners who aren't approved yet: 403.
  public var unapprovedKeys: Set<String> = []
  /// The limit on writes by IP address; `nil` switches it off.
  public var writeLimit: SandboxRateLimit? = SandboxRateLimit(30)
  /// The limit on conversions by partner, on top of `writeLimit`; `nil` switches it off.
  public var conversionLimit: SandboxRateLimit? = SandboxRateLimit(60)
  /// The answer to the replay of a conversion.
  public var conversionReplay = ConversionReplay.idempotent
  /// The kind of `search=`, by what it finds.
  public var search = SandboxSearch.substring
  /// The time each API request takes, drawn anew each time: half of it passes before the work, half after.
  public var latency: ClosedRange<Duration>?
  /// The seed of IDs, latencies and the probabilities of faults.
  public var seed: UInt64 = 1
  /// The largest body a request may have, in bytes.
  public var bodyMax = 1 << 20
  /// Connections served at once; one more is answered 503 and closed.
  public var connectionsMax = 512
  /// The longest time that a connection may be idle, or take to send one request.
  public var idleTimeout = Duration.seconds(60)
  /// The number of the latest requests that are remembered.
  public var requestLogMax = 10_000

  /// Creates the configuration of a sandbox that listens on a free port of loopback with the reference's limits.
  public init() {}

  /// True if `host` is this machine alone.
  var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
