import Conversions
private import Foundation

extension ValueKind where Value == String {
  /// An SQL text for this place in a query.
  static func sql(_ place: SQLText.Place) -> Self {
    let expected = place == .fromClause ? "a table or a FROM clause" : "an SQL expression"
    let text = ValueKind.text(expected) { text throws(Refusal) in
      if let mistake = SQLText.mistake(in: text, place: place) { throw Refusal(message: mistake) }
      return text
    }
    return ValueKind(allowed: nil) { value, findings in
      guard let sql = text.read(value, &findings) else { return nil }
      if let warning = SQLText.warning(about: sql) {
        findings.append(Finding(position: value.position, message: warning, severity: .warning))
      }
      return sql
    }
  }

  /// A libpq connection string without secrets, encrypted where it leaves this host.
  static var connection: Self {
    ValueKind(allowed: nil) { value, findings in
      if case .refused = value.content { return nil }
      guard let text = value.text else {
        let expected = "a connection string; write one such as \"host=/var/run/postgresql dbname=shop\""
        findings.append(Finding(position: value.position, message: "\(value.shown) is not \(expected)"))
        return nil
      }
      let mistakes = ConnectionRules.mistakes(in: text)
      findings += mistakes.map { Finding(position: value.position, message: $0) }
      return mistakes.isEmpty ? text : nil
    }
  }

  /// The absolute path of a file.
  static var absolutePath: Self {
    .text("an absolute path, such as /etc/conversiond/api-key", allowed: "an absolute path") { text throws(Refusal) in
      guard text.hasPrefix("/"), !text.hasSuffix("/"), !text.utf8.contains(0) else { throw Refusal() }
      return text
    }
  }

  /// A time zone by its IANA name; what else PostgreSQL takes, such as `GMT+3`, turns its sign round.
  static var timeZone: Self {
    .text("a time zone; write an IANA name such as UTC or Europe/Berlin", allowed: "an IANA name") {
      text throws(Refusal) in
      let known = TimeZone.knownTimeZoneIdentifiers + ["UTC", "Etc/UTC", "GMT"]
      if known.contains(text) { return text }
      // Older names, such as Europe/Kiev, are links that the list leaves out.
      if text.contains("/"), TimeZone(identifier: text) != nil { return text }
      let meant = Suggestion.closest(to: text, among: known)
      throw Refusal(message: meant.map { "\(Shown.text(text)) is not a time zone; did you mean \"\($0)\"?" })
    }
  }

  /// The name of a NOTIFY channel (PostgreSQL documentation, NAMEDATALEN: 63 bytes).
  static var channel: Self {
    .text("the name of a channel, of 1 to 63 bytes") { text throws(Refusal) in
      guard (1...63).contains(text.utf8.count), !text.utf8.contains(0) else { throw Refusal() }
      return text
    }
  }

  /// A status as the shop writes it.
  static var status: Self {
    .text("a status, such as paid") { text throws(Refusal) in
      guard !text.isEmpty, !text.utf8.contains(0) else { throw Refusal() }
      return text
    }
  }
}

extension ValueKind where Value == PartnersBaseURL {
  /// The base URL of the API.
  static var baseURL: Self {
    .text("a URL; write one such as https://offertown.net/api/v1/partners") { text throws(Refusal) in
      do throws(PartnersBaseURL.Refused) {
        return try PartnersBaseURL(text)
      } catch {
        throw Refusal(message: error.message)
      }
    }
  }
}

extension ValueKind where Value == ListenAddress {
  /// An address and a port.
  static var listenAddress: Self {
    .text("an address and a port, such as 127.0.0.1:9464", allowed: "an IP address or localhost, and a port") {
      text throws(Refusal) in
      guard let address = ListenAddress(text) else { throw Refusal() }
      return address
    }
  }
}

extension ValueKind where Value == Configuration.Ledger.Location {
  /// The place where the ledger is kept.
  static var ledgerLocation: Self {
    .text("a ledger; write sqlite: and an absolute path, such as sqlite:/var/lib/conversiond/ledger.sqlite") {
      text throws(Refusal) in
      if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
        throw Refusal(message: "a ledger in PostgreSQL is planned; for now use sqlite:/path")
      }
      guard text.hasPrefix("sqlite:") else { throw Refusal() }
      let path = text.dropFirst("sqlite:".count)
      guard path.hasPrefix("/"), !path.hasPrefix("//"), !path.hasSuffix("/"), !path.utf8.contains(0) else {
        throw Refusal(message: "after sqlite: comes an absolute path, as in sqlite:/var/lib/conversiond/ledger.sqlite")
      }
      return .sqlite(path: String(path))
    }
  }
}

extension ValueKind where Value == [Order.MetadataEntry] {
  /// The most keys that fit the API's 4 KiB with any use.
  private static var keysMax: Int { 50 }
  private static var keyBytesMax: Int { 128 }

  /// A mapping of keys to SQL expressions.
  static var metadata: Self {
    ValueKind(allowed: "at most \(keysMax) keys") { value, findings in
      if case .refused = value.content { return nil }
      guard case .mapping(let entries) = value.content else {
        let message = "\(value.shown) is not a mapping; write keys with SQL expressions, such as { sku: sku }"
        findings.append(Finding(position: value.position, message: message))
        return nil
      }
      let before = findings.count
      var fields: [Order.MetadataEntry] = []
      for entry in entries {
        if !(1...keyBytesMax).contains(entry.key.utf8.count) {
          let message = "a metadata key has 1 to \(keyBytesMax) bytes"
          findings.append(Finding(position: entry.position, message: message))
        }
        if fields.count == keysMax {
          findings.append(Finding(position: entry.position, message: "more than \(keysMax) metadata keys"))
          break
        }
        let expression = ValueKind<String>.sql(.expression).read(entry.value, &findings)
        fields.append(.init(name: entry.key, expression: expression ?? ""))
      }
      return findings.dropFirst(before).contains { $0.severity == .mistake } ? nil : fields
    }
  }
}
