extension Configuration {
  /// The keys under `metrics:`.
  public struct Metrics: Sendable, Equatable {
    /// The address where `/metrics` and `/healthz` are served; `nil` where they are not.
    public var listen: ListenAddress?

    /// Sets the documented defaults.
    public init() {}
  }
}
