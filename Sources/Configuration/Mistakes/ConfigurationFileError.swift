/// The reason why a configuration file could not be read at all.
public struct ConfigurationFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The cause of the failure.
  public enum Reason: Sendable, Equatable {
    /// There is no such file.
    case missing
    /// This user may not read it.
    case permission
    /// It is a directory.
    case directory
    /// It is a device, a socket or a pipe.
    case notRegular
    /// The system failed to read it, and said this.
    case unreadable(String)
  }

  /// The path, as it was given.
  public var path: String
  /// The cause of the failure.
  public var reason: Reason

  /// One line that says what to do.
  public var description: String {
    let path = Shown.text(path, limit: 1_024)
    return switch reason {
    case .missing: "\(path): there is no such file; name another one with --config"
    case .permission: "\(path): permission denied; the file should be readable by the daemon's user (mode 0644)"
    case .directory: "\(path): is a directory; name the file in it"
    case .notRegular: "\(path): is not a regular file"
    case .unreadable(let why): "\(path): cannot be read: \(Shown.text(why, limit: 200))"
    }
  }
}
