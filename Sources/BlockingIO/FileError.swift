import Glibc

/// A system call on a file that failed.
public struct FileError: Error, Hashable, Sendable {
  /// The number of the error (errno(3)).
  public let code: Int32
  /// The action that failed, as a verb: open, write, sync.
  public let action: String
  /// The file's path.
  public let path: String

  /// Takes the error of the call that has just failed.
  init(_ action: String, _ path: String) { (code, self.action, self.path) = (errno, action, path) }

  /// The system's words for the error.
  public var words: String { unsafe String(cString: strerror(code)) }
}
