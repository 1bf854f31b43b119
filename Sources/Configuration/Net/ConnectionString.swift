/// The settings in a libpq connection string, either form of it (PostgreSQL documentation, 34.1.1).
///
/// Problems never repeat what was written, as a password may be part of it.
struct ConnectionString {
  struct Malformed: Error, Equatable {
    var message: String
  }

  /// The settings; of one given twice, the last counts, as for libpq.
  private(set) var settings: [String: String] = [:]

  init(_ text: String) throws(Malformed) {
    if let start = ["postgresql://", "postgres://"].first(where: text.hasPrefix) {
      try readURI(text.dropFirst(start.count))
    } else {
      try readKeywords(Array(text.unicodeScalars))
    }
  }

  /// A setting that is given and not empty.
  subscript(keyword: String) -> String? {
    settings[keyword].flatMap { $0.isEmpty ? nil : $0 }
  }

  // MARK: keyword = value (34.1.1.1)

  private mutating func readKeywords(_ scalars: [Unicode.Scalar]) throws(Malformed) {
    var at = 0
    func skipSpace() { while at < scalars.count, Self.isSpace(scalars[at]) { at += 1 } }
    skipSpace()
    while at < scalars.count {
      let start = at
      while at < scalars.count, scalars[at] != "=", !Self.isSpace(scalars[at]) { at += 1 }
      let keyword = Self.string(scalars[start..<at])
      skipSpace()
      guard at < scalars.count, scalars[at] == "=", !keyword.isEmpty else {
        throw Malformed(message: "character \(start + 1): a keyword and = are missing, as in host=db.example.com")
      }
      at += 1
      skipSpace()
      try store(keyword, Self.value(scalars, &at), at: start)
      skipSpace()
    }
  }

  /// Reads a value up to white space, or to the second of its single quotes; a backslash takes the next sign as it is.
  private static func value(_ scalars: [Unicode.Scalar], _ at: inout Int) throws(Malformed) -> String {
    let start = at
    let isQuoted = at < scalars.count && scalars[at] == "'"
    if isQuoted { at += 1 }
    var value: [Unicode.Scalar] = []
    while at < scalars.count {
      let scalar = scalars[at]
      if isQuoted ? scalar == "'" : isSpace(scalar) { break }
      at += 1
      if scalar == "\\" {
        guard at < scalars.count else { break }
        value.append(scalars[at])
        at += 1
      } else {
        value.append(scalar)
      }
    }
    guard isQuoted else { return string(value[...]) }
    guard at < scalars.count else { throw Malformed(message: "character \(start + 1): a quoted value does not end") }
    at += 1
    return string(value[...])
  }

  private mutating func store(_ keyword: String, _ value: String, at start: Int) throws(Malformed) {
    guard Self.keywords.contains(keyword) else {
      // An unknown keyword may be a piece of a password with a space in it.
      let meant = Suggestion.closest(to: keyword, among: Self.keywords.sorted())
      let hint = meant.map { "; did you mean \"\($0)\"?" } ?? ""
      throw Malformed(message: "character \(start + 1): libpq knows no such keyword\(hint)")
    }
    settings[keyword] = value
  }

  // MARK: postgresql:// (34.1.1.2)

  private mutating func readURI(_ text: Substring) throws(Malformed) {
    var text = text
    // As libpq does, the first @ before any slash ends the user's part.
    if let sign = text.firstIndex(where: { $0 == "@" || $0 == "/" }), text[sign] == "@" {
      let user = text[..<sign].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      settings["user"] = try Self.decode(user[0])
      if user.count == 2 { settings["password"] = try Self.decode(user[1]) }
      text = text[text.index(after: sign)...]
    }
    let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    try readHosts(path[0])
    if path.count == 2 { settings["dbname"] = try Self.decode(path[1]) }
    guard halves.count == 2, !halves[1].isEmpty else { return }
    for parameter in halves[1].split(separator: "&", omittingEmptySubsequences: false) {
      let pair = parameter.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw Malformed(message: "a parameter after ? needs one =, as in sslmode=require") }
      let (keyword, value) = (try Self.decode(pair[0]), try Self.decode(pair[1]))
      // The one alias that libpq takes, for JDBC's sake.
      if keyword == "ssl", value == "true" {
        settings["sslmode"] = "require"
      } else {
        try store(keyword, value, at: 0)
      }
    }
  }

  private mutating func readHosts(_ text: Substring) throws(Malformed) {
    var hosts: [String] = []
    var ports: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      var rest = part
      if rest.first == "[" {
        guard let end = rest.firstIndex(of: "]") else { throw Malformed(message: "a [ before an address has no ]") }
        hosts.append(String(rest[rest.index(after: rest.startIndex)..<end]))
        rest = rest[rest.index(after: end)...]
        guard rest.isEmpty || rest.first == ":" else { throw Malformed(message: "after ] comes : and a port") }
      } else {
        let end = rest.firstIndex(of: ":") ?? rest.endIndex
        hosts.append(try Self.decode(rest[..<end]))
        rest = rest[end...]
      }
      ports.append(try Self.decode(rest.dropFirst()))
    }
    if hosts.contains(where: { !$0.isEmpty }) { settings["host"] = hosts.joined(separator: ",") }
    if ports.contains(where: { !$0.isEmpty }) { settings["port"] = ports.joined(separator: ",") }
  }

  private static func decode(_ text: Substring) throws(Malformed) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      rest = rest.dropFirst(2)
      guard digits.count == 2, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else {
        throw Malformed(message: "a % is not followed by two hexadecimal digits")
      }
      guard let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), code != 0 else {
        throw Malformed(message: "%00 has no place in a connection string")
      }
      bytes.append(code)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || (0x09...0x0D).contains(scalar.value)
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// The keywords of libpq up to PostgreSQL 18 (34.1.2).
  private static let keywords: Set<String> = [
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
    "oauth_ca_file", "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile",
    "password", "port", "replication", "require_auth", "requirepeer", "requiressl", "scram_client_key",
    "scram_server_key", "service", "servicefile", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert",
    "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation",
    "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
  ]
}
