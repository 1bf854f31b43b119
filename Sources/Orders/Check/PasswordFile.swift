import Foundation
import Glibc

/// The password file of libpq, which ignores one that others may read, and tells so on standard error alone (PostgreSQL
/// manual, 34.16): the error of the connection is then only a missing password.
enum PasswordFile {
  /// The advice for a connection that had no password; nil where the file is not the cause.
  static func advice(
    for message: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    guard message.contains("no password supplied") else { return nil }
    let path = environment["PGPASSFILE"] ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.pgpass"
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      return "there is no password file \(path); see the manual's chapter on .pgpass"
    }
    guard status.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      return "the password file \(path) is ignored, as its mode is 0\(mode) and others could read it; run: chmod 600 "
        + path
    }
    return "no line of \(path) is for this host, port, database and user"
  }
}
