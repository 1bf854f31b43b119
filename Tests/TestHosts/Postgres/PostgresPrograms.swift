import Foundation

/// PostgreSQL's programs: the newest of Debian's versions, else those in PATH. PostgreSQL refuses to run as root, so
/// root runs them as the user `postgres`.
struct PostgresPrograms: Sendable {
  private let folder: String

  init() throws {
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    let debian = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
    let inPath = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let found = (debian + inPath).first {
      FileManager.default.isExecutableFile(atPath: "\($0)/initdb")
        && FileManager.default.isExecutableFile(atPath: "\($0)/postgres")
    }
    guard let found else { throw TestHostError("no initdb in /usr/lib/postgresql or PATH") }
    folder = found
  }

  /// A program's path.
  func path(_ program: String) -> String { "\(folder)/\(program)" }

  /// A program as a user that PostgreSQL accepts. setpriv(1) replaces itself by it, so the process ID is the server's.
  func command(_ program: String, _ arguments: [String]) -> (executable: String, arguments: [String]) {
    Self.asServer(path(program), arguments)
  }

  /// Any program as that user.
  static func asServer(_ path: String, _ arguments: [String]) -> (executable: String, arguments: [String]) {
    guard getuid() == 0 else { return (path, arguments) }
    let user = ["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    return ("setpriv", user + [path] + arguments)
  }

  /// Gives a folder to that user, and lets others reach a socket in it.
  func handOver(_ path: String) throws {
    guard unsafe chmod(path, 0o755) == 0 else { throw TestHostError("chmod \(path): errno \(errno)") }
    guard getuid() == 0 else { return }
    guard let user = unsafe getpwnam("postgres") else { throw TestHostError("no user postgres") }
    guard unsafe chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
      throw TestHostError("chown \(path): errno \(errno)")
    }
  }
}
