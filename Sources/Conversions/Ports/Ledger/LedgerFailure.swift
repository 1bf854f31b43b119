/// The reason why the ledger can't be opened or written.
public struct LedgerFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds that lead to different exits and waits.
  public enum Kind: String, Sendable, CaseIterable {
    /// Another process has it.
    case locked
    /// Written by a newer version of this program.
    case newer
    /// Not a database, or a damaged one.
    case damaged
    /// It belongs to another shop, or to another mapping.
    case otherSource
    /// Its folder isn't there.
    case noFolder
    /// The disk is full.
    case diskFull
    /// The file system refused: permissions, read-only.
    case permission
    /// The file system failed.
    case io
    /// Anything else.
    case other
  }

  /// The kind of failure.
  public var kind: Kind
  /// The event in words, and what to do.
  public var description: String

  /// Makes a failure from its values. SQLite's words may have several lines, and a log entry has one.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
