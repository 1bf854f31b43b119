extension Configuration {
  /// The keys under `ledger:`.
  public struct Ledger: Sendable, Equatable {
    /// Where the ledger is kept.
    public var location = Location.sqlite(path: "/var/lib/conversiond/ledger.sqlite")
    /// How long finished entries are kept.
    public var retain = Duration.seconds(400 * 86_400)
    /// How large the ledger may grow, in bytes.
    public var sizeMax: Int64 = 2 << 30

    /// The documented defaults.
    public init() {}
  }
}

extension Configuration.Ledger {
  /// Where the ledger is kept.
  public enum Location: Sendable, Equatable {
    /// In the SQLite file at this absolute path.
    case sqlite(path: String)
  }
}
