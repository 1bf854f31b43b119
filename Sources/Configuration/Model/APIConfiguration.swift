public import Conversions

extension Configuration {
  /// The keys under `api:`.
  public struct API: Sendable, Equatable {
    /// The partners API.
    public var baseURL = PartnersBaseURL.standard
    /// The absolute path of the file that holds the key, used where systemd hands over no credential.
    public var keyFile = Instance.plain.keyFile
    /// This host's share of the write limit (API reference, Rate limits: 30 a minute for an IP address).
    public var writesPerMinute = RateLimit.perMinute(30)
    /// The limit of conversion reports (API reference, Rate limits: 60 a minute for a partner).
    public var conversionsPerMinute = RateLimit.perMinute(60)
    /// A courtesy limit of reads; the API reference states none.
    public var readsPerMinute = RateLimit.perMinute(120)
    /// The time that one request may take in all.
    public var timeout = Duration.seconds(30)

    /// Sets the documented defaults.
    public init() {}
  }
}
