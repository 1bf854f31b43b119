import Foundation
import Glibc

/// Standard output and standard error, as commands use them.
enum StandardStreams {
  static func write(_ text: String) { write(AdvisedCommands.addressed(text), to: STDOUT_FILENO) }

  static func writeError(_ text: String) { write(AdvisedCommands.addressed(text), to: STDERR_FILENO) }

  /// True if standard output is a terminal: then a person reads it.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// True if what is printed may be colored (https://no-color.org).
  static func mayColor(noColor: Bool) -> Bool {
    let asked = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    return isTerminal && !noColor && !asked
  }

  /// Writes all of it, or stops where the other end is gone: a `| head` is no error.
  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }
}
