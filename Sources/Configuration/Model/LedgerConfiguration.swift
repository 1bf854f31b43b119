extension Configuration {
  /// The keys under `ledger:`.
  public struct Ledger: Sendable, Equatable {
    /// The place where the ledger is kept.
    public var location = Location.sqlite(path: Instance.plain.ledgerFile)
    /// The time for which finished entries are kept.
    public var retain = Duration.seconds(400 * 86_400)
    /// The size that the ledger may grow to, in bytes.
    public var sizeMax: Int64 = 2 << 30

    /// Sets the documented defaults.
    public init() {}
  }
}

extension Configuration.Ledger {
  /// The place where the ledger is kept.
  public enum Location: Sendable, Equatable {
    /// In the SQLite file at this absolute path.
    case sqlite(path: String)
  }
}
