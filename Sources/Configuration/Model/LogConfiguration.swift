extension Configuration {
  /// The keys under `log:`.
  public struct Log: Sendable, Equatable {
    /// The least severe level that is written.
    public var level = Level.info
    /// The form in which e-mail addresses are written.
    public var emails = Emails.masked

    /// Sets the documented defaults.
    public init() {}
  }
}

extension Configuration.Log {
  /// The severity of a line, least severe first.
  public enum Level: String, Sendable, CaseIterable {
    /// Details for a developer.
    case debug
    /// Each report.
    case info
    /// Changes of state.
    case notice
    /// A degraded state.
    case warning
    /// A state that needs a person.
    case error
  }

  /// The form in which e-mail addresses are written.
  public enum Emails: String, Sendable, CaseIterable {
    /// As `a***@example.com`.
    case masked
    /// As a hash, the same for the same address.
    case hashed
    /// In full.
    case plain
  }
}
