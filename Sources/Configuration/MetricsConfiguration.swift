extension Configuration {
  /// The keys under `metrics:`.
  public struct Metrics: Sendable, Equatable {
    /// Where `/metrics` and `/healthz` are served; nowhere where `nil`.
    public var listen: ListenAddress?

    /// The documented defaults.
    public init() {}
  }
}
