/// What is the same for all requests of a client.
struct HTTPOptions: Sendable {
  /// The most of a body that is taken in, in bytes.
  static let bodyBytesMax = 1 << 20
  /// The most of all header lines of an answer, in bytes.
  static let headerBytesMax = 64 << 10
  /// The most header lines of an answer.
  static let headerLinesMax = 200

  /// How long a name's address is kept, in seconds.
  static let namesKeptSeconds = 60

  /// The key, sent as X-API-Key to the URL asked for and nowhere else.
  var apiKey: APIKey
  /// What the client calls itself.
  var userAgent: String
  /// From the first to the last byte of an exchange, name resolution included.
  var timeout: Duration
  /// How long a connection is used again after it was made: with `namesKeptSeconds` and a request's own time, requests go
  /// to a name's new address within five minutes.
  var connectionLifeMax = Duration.seconds(180)
  /// Whether proxies of the environment are passed by, as for loopback.
  var bypassesProxies = false
  /// A PEM file in place of the host's certificate authorities, for tests. That certificates are verified is no option.
  var certificateAuthorities: String?
}
