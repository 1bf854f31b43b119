/// One thing that is wrong, or doubtful, at one place of a configuration file.
public struct Mistake: Sendable, Equatable, CustomStringConvertible {
  /// The severity, by which the daemon refuses or takes the file.
  public enum Severity: Sendable {
    /// The file is refused.
    case mistake
    /// The file is taken, but its author should know.
    case warning
  }

  /// The file's name, as it was given.
  public var file: String
  /// The place in the file.
  public var position: Position
  /// The mistake and what to write instead, in one line; never holds a secret or a control character.
  public var message: String
  /// The severity, by which the daemon refuses or takes the file.
  public var severity: Severity

  /// The line, from 1.
  public var line: Int { position.line }
  /// The column, from 1, counted in Unicode scalars.
  public var column: Int { position.column }

  /// `file:line:column: message`, as compilers write it; a warning has `warning: ` before its message.
  public var description: String {
    "\(file):\(line):\(column): \(severity == .warning ? "warning: " : "")\(message)"
  }
}
