/// The settings that are the same for all requests of a client.
struct HTTPOptions: Sendable {
  /// The largest body that is taken in, in bytes.
  static let bodyBytesMax = 1 << 20
  /// The most of all header lines of an answer, in bytes.
  static let headerBytesMax = 64 << 10
  /// The most header lines of an answer.
  static let headerLinesMax = 200

  /// The time for which a name's address is kept, in seconds.
  static let namesKeptSeconds = 60

  /// The key, sent as X-API-Key to the URL asked for and nowhere else.
  var apiKey: APIKey
  /// The client's name for itself, sent as User-Agent.
  var userAgent: String
  /// The deadline, from the first to the last byte of an exchange, name resolution included.
  var timeout: Duration
  /// The age up to which a connection is used again: with `namesKeptSeconds` and a request's own time, requests go to a
  /// name's new address within five minutes.
  var connectionLifeMax = Duration.seconds(180)
  /// True if proxies of the environment are not used, as for loopback.
  var bypassesProxies = false
  /// A PEM file in place of the host's certificate authorities, for tests. Certificates are always verified.
  var certificateAuthorities: String?
}
