internal import CLibpq
import Foundation

/// A connection string with our own settings around it, and what must never be printed of it.
struct ConnectionSettings: Sendable {
  /// Keywords and values for PQconnectdbParams, in their order of precedence: later ones win.
  let parameters: [(keyword: String, value: String)]
  private let secrets: [String]

  /// Takes a conninfo string or a URI, or a database's name, as psql(1) does.
  ///
  /// A setting before `dbname` gives way to the string and to its environment variable; a setting after it does not
  /// (PostgreSQL manual, 34.1.1). A service file's time limits lose to ours, which libpq gives no way to tell from
  /// an operator's.
  ///
  /// - Throws: `PostgresError` for a string that libpq can't read. libpq's own words are left out, as they quote it.
  init(_ conninfo: String) throws {
    let given = try Self.options(of: conninfo)
    let environment = ProcessInfo.processInfo.environment
    secrets = [given["password"], environment["PGPASSWORD"], given["sslpassword"]].compactMap { $0 }
      .filter { $0.utf8.count >= 3 }
    var parameters = [
      ("fallback_application_name", "conversiond"),
      // A dead peer is noticed within 15 + 4 × 5 s while we wait, and within 30 s while we send.
      ("keepalives", "1"), ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "4"),
      ("tcp_user_timeout", "30000"),
    ]
    if environment["PGCONNECT_TIMEOUT"] == nil { parameters.append(("connect_timeout", "10")) }
    self.parameters = parameters + [("dbname", conninfo), ("client_encoding", "UTF8")]
  }

  /// A message without the password, should libpq or a server ever quote it.
  func redacted(_ message: String) -> String {
    secrets.reduce(message) { $0.replacingOccurrences(of: $1, with: "***") }
  }

  /// The string's options by keyword, for a string of the form that libpq parses; a bare database name has none.
  private static func options(of conninfo: String) throws -> [String: String] {
    let isURI = conninfo.hasPrefix("postgres://") || conninfo.hasPrefix("postgresql://")
    guard isURI || conninfo.contains("=") else { return [:] }
    guard let options = unsafe PQconninfoParse(conninfo, nil) else {
      throw PostgresError(message: "the connection string can't be read: " + advice(isURI), kind: .other)
    }
    defer { unsafe PQconninfoFree(options) }
    var result: [String: String] = [:]
    var index = 0
    // The array ends at an option without a keyword (PostgreSQL manual, 34.1, PQconndefaults).
    while let keyword = unsafe options[index].keyword {
      if let value = unsafe options[index].val {
        result[unsafe String(cString: keyword)] = unsafe String(cString: value)
      }
      index += 1
    }
    // A password with an unescaped `@` or `/` spills over into these, and from there into error messages.
    let spilled = ["host", "dbname", "port"].contains { result[$0]?.contains("@") == true }
    let hasOddPort = result["port"].map { $0.contains { !$0.isNumber && $0 != "," } } ?? false
    guard !(isURI && spilled || hasOddPort) else {
      throw PostgresError(message: "the connection string can't be read: " + advice(isURI), kind: .other)
    }
    return result
  }

  private static func advice(_ isURI: Bool) -> String {
    isURI
      ? "in a URI, special characters of a password are percent-encoded (@ as %40, / as %2F)"
      : "it is keyword=value pairs, values with spaces in single quotes, or a postgresql:// URI"
  }
}
