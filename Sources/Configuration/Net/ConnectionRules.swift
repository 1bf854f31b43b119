import Conversions

/// Rules for what a connection string must and must not hold, beyond being well formed.
enum ConnectionRules {
  /// The modes that never fall back to a plain connection (PostgreSQL documentation, 34.19.3).
  private static let encryptedModes = ["require", "verify-ca", "verify-full"]
  private static let modes = ["disable", "allow", "prefer"] + encryptedModes

  /// Settings whose value is a secret.
  private static let secrets = [
    "password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key",
  ]

  /// Finds everything wrong with the connection string; never repeats a value that may be secret.
  static func mistakes(in text: String) -> [String] {
    if text.utf8.contains(0) { return ["holds a NUL"] }
    let connection: ConnectionString
    do {
      connection = try ConnectionString(text)
    } catch {
      return ["not a connection string of libpq: \(error.message)"]
    }
    var mistakes: [String] = []
    for secret in secrets where connection[secret] != nil {
      mistakes.append(
        "holds a secret (\(secret)), and everybody can read this file; "
          + "use peer authentication, ~/.pgpass, passfile= or a service in pg_service.conf")
    }
    let mode = connection["sslmode"]
    if let mode, !modes.contains(mode) {
      mistakes.append("sslmode is one of \(modes.joined(separator: ", "))")
    } else if let mistake = plainMistake(connection, mode: mode) {
      mistakes.append(mistake)
    }
    return mistakes
  }

  private static func plainMistake(_ connection: ConnectionString, mode: String?) -> String? {
    guard let remote = remoteHost(connection) else { return nil }
    if let mode, encryptedModes.contains(mode) { return nil }
    // A service may set the mode where this file does not; GSSAPI encrypts too (34.1.2, gssencmode).
    if mode == nil, connection["service"] != nil { return nil }
    if connection["gssencmode"] == "require" { return nil }
    let given = mode.map { "sslmode=\($0) allows" } ?? "without sslmode libpq allows"
    return "\(given) a connection to \(Shown.text(remote)) that anybody on the way can read; "
      + "write sslmode=verify-full (or verify-ca, or require)"
  }

  /// Finds the first host that is not this one. An address counts before a name, as it is what libpq connects to.
  private static func remoteHost(_ connection: ConnectionString) -> String? {
    let hosts = list(connection["host"])
    let addresses = list(connection["hostaddr"])
    for index in 0..<max(hosts.count, addresses.count) {
      let address = index < addresses.count ? addresses[index] : ""
      let target = address.isEmpty && index < hosts.count ? hosts[index] : address
      // Nothing given is the socket; a path or @name is a socket, too.
      if target.isEmpty || target.hasPrefix("/") || target.hasPrefix("@") || LocalHost.contains(target) { continue }
      return target
    }
    return nil
  }

  private static func list(_ text: String?) -> [String] {
    guard let text else { return [] }
    return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
}
