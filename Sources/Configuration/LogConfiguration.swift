extension Configuration {
  /// The keys under `log:`.
  public struct Log: Sendable, Equatable {
    /// The least severe level that is written.
    public var level = Level.info
    /// How e-mail addresses are written.
    public var emails = Emails.masked

    /// The documented defaults.
    public init() {}
  }
}

extension Configuration.Log {
  /// How severe a line is, least severe first.
  public enum Level: String, Sendable, CaseIterable {
    /// What a developer wants to see.
    case debug
    /// Each report.
    case info
    /// Changes of state.
    case notice
    /// What is degraded.
    case warning
    /// What needs a person.
    case error
  }

  /// How e-mail addresses are written.
  public enum Emails: String, Sendable, CaseIterable {
    /// As `a***@example.com`.
    case masked
    /// As a hash, the same for the same address.
    case hashed
    /// In full.
    case plain
  }
}
