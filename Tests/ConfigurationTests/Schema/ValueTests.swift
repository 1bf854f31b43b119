import Configuration
import Testing

@Suite struct ValueTests {
  @Test(arguments: [
    ("100ms", Duration.milliseconds(100)), ("7s", .seconds(7)), ("2m", .seconds(120)), ("1h", .seconds(3_600)),
    ("\"007s\"", .seconds(7)),
  ])
  func durations(text: String, expected: Duration) {
    let rest = "reporting:\n  hold: \(text)\n"
    #expect(Sample.configuration(rest)?.reporting.hold == expected)
  }

  @Test(arguments: ["5", "\"5\"", "5 s", "1.5h", "-5s", "+5s", "5S", "s", "5sec", "1h30m", "٣s", "[5s]", "{a: 5s}"])
  func whatIsNoDuration(text: String) {
    let said = Sample.said(after: "api:\n  timeout: \(text)\n")
    #expect(said.count == 1)
    #expect(said[0].hasSuffix("is not a duration; write a whole number and ms, s, m, h or d, such as 5s"))
  }

  @Test(arguments: [
    ("orders", "poll_interval", "99ms", "99ms is too short; at least 100ms"),
    ("orders", "poll_interval", "2h", "2h is too long; at most 1h"),
    ("api", "timeout", "500ms", "500ms is too short; at least 1s"),
    ("api", "timeout", "6m", "6m is too long; at most 5m"),
    ("reporting", "hold", "10000d", "10000d is too long; at most 9999d"),
    ("reporting", "hold", "99999999999999999999999d", "99999999999999999999999d is too long; at most 9999d"),
    ("reporting", "hold", "9223372036854775807d", "9223372036854775807d is too long; at most 9999d"),
    ("ledger", "size_max", "1KiB", "1KiB is too small; at least 1MiB"),
    ("ledger", "size_max", "2TiB", "2TiB is too large; at most 1TiB"),
    ("ledger", "size_max", "99999999999999999999TiB", "99999999999999999999TiB is too large; at most 1TiB"),
  ])
  func limits(section: String, key: String, value: String, expected: String) {
    let said =
      section == "orders"
      ? Sample.said(orders: "\(key): \(value)") : Sample.said(after: "\(section):\n  \(key): \(value)\n")
    #expect(said.count == 1 && said[0].hasSuffix(expected), "\(said)")
  }

  @Test(
    arguments: [
      ("1KiB", nil), ("1MiB", 1 << 20), ("3GiB", 3 << 30), ("1TiB", Int64(1) << 40), ("2GB", nil), ("100", nil),
    ] as [(String, Int64?)])
  func sizes(text: String, expected: Int64?) {
    #expect(Sample.configuration("ledger:\n  size_max: \(text)\n")?.ledger.sizeMax == expected)
  }

  @Test(arguments: ["0", "-1", "1.5", "many", "unlimitd", "1e3", "٣", "[1]"])
  func whatIsNoRate(text: String) {
    let said = Sample.said(after: "api:\n  reads_per_minute: \(text)\n")
    #expect(said.count == 1 && said[0].hasSuffix("is not a rate; write a whole number from 1, or unlimited"))
  }

  @Test(
    arguments: [
      ("2026-02-29", nil), ("2024-02-29", .day(year: 2024, month: 2, day: 29)), ("2026-13-01", nil),
      ("1970-01-01T00:00:00Z", .instant(microseconds: 0)),
      ("2026-11-22T13:05:01.123456789+01:00", .instant(microseconds: 1_795_349_101_123_456)),
      ("2000-03-01T00:00:00Z", .instant(microseconds: 951_868_800_000_000)), ("2026-11-22T13:05:01", nil),
      ("2026-11-22T25:00:00Z", nil), ("1969-12-31", nil), ("auto", .auto), ("now", .now), ("beginning", .beginning),
    ] as [(String, Configuration.Orders.Start?)])
  func starts(text: String, expected: Configuration.Orders.Start?) {
    let text = Sample.full.replacing("start: auto", with: "start: \(text)")
    let configuration = try? ConfigurationReader.read(text: text, name: "c").get().configuration
    #expect(configuration?.orders.start == expected)
    #expect((expected == nil) == !Sample.said(text).isEmpty)
  }

  @Test func timeZones() {
    for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"] {
      #expect(Sample.said(orders: "time_zone: \(name)").isEmpty)
    }
    #expect(
      Sample.said(orders: "time_zone: Europe/Berln") == [
        "Europe/Berln is not a time zone; did you mean \"Europe/Berlin\"?"
      ])
    for name in ["GMT+3", "+02:00", "UTC+2", "Berlin time"] {
      #expect(Sample.said(orders: "time_zone: \(name)").count == 1)
    }
  }

  @Test func lists() {
    #expect(Sample.said(orders: "qualifying_statuses: paid") == ["paid is not a list; write [paid, completed]"])
    #expect(Sample.said(orders: "qualifying_statuses: [paid, paid]") == ["paid is in the list twice"])
    #expect(Sample.said(orders: "qualifying_statuses: [paid, null]") == ["null is not a status, such as paid"])
    #expect(
      Sample.said(orders: "qualifying_statuses: []") == [
        "an empty list lets no order qualify; name the statuses of paid orders"
      ])
    #expect(Sample.said(after: "matching:\n  keys: [email, email]\n").first == "2:17: email is in the list twice")
    #expect(Sample.said(after: "matching:\n  keys: []\n") == ["2:9: an empty list matches nothing; name a key"])
    #expect(
      Sample.said(after: "matching:\n  keys: [e-mail]\n") == [
        "2:10: e-mail is not one of external_source_id, email; did you mean \"email\"?"
      ])
    #expect(Sample.said(column: "updated_at: [a, b, null]") == ["null is not an SQL expression"])
    #expect(Sample.said(column: "updated_at: []").isEmpty)
  }

  @Test func metadata() {
    #expect(Sample.said(after: "reporting:\n  metadata:\n").isEmpty)
    #expect(
      Sample.said(after: "reporting:\n  metadata: [a]\n").first?.hasPrefix("2:13: a list is not a mapping") == true)
    #expect(Sample.said(after: "reporting:\n  metadata: {\"\": a}\n") == ["2:14: a metadata key has 1 to 128 bytes"])
    #expect(Sample.said(after: "reporting:\n  metadata: {a: null}\n") == ["2:17: null is not an SQL expression"])
    let many = (0..<51).map { "    k\($0): a\n" }.joined()
    #expect(Sample.said(after: "reporting:\n  metadata:\n\(many)") == ["53:5: more than 50 metadata keys"])
  }

  @Test(arguments: [
    ("sqlite:/a/b", true), ("sqlite:b", false), ("sqlite:", false), ("sqlite::memory:", false), ("/a/b", false),
    ("sqlite:///a/b", false), ("sqlite:/a/", false), ("mysql:/a", false),
  ])
  func ledgers(text: String, isTaken: Bool) {
    #expect(Sample.said(after: "ledger:\n  location: \"\(text)\"\n").isEmpty == isTaken)
  }

  @Test func aLedgerInPostgreSQLIsPlanned() {
    #expect(
      Sample.said(after: "ledger:\n  location: postgres://u:p@h/d\n") == [
        "2:13: a ledger in PostgreSQL is planned; for now use sqlite:/path"
      ])
  }

  @Test(arguments: [
    ("127.0.0.1:9464", true), ("\"[::1]:9464\"", true), ("localhost:9464", true), ("9464", false), (":9464", false),
    ("127.0.0.1", false), ("127.0.0.1:0", false), ("127.0.0.1:65536", false), ("256.0.0.1:80", false),
    ("example.com:80", false), ("::1:80", false), ("127.1:80", false), ("0127.0.0.1:80", false),
  ])
  func listeners(text: String, isTaken: Bool) {
    #expect(Sample.said(after: "metrics:\n  listen: \(text)\n").isEmpty == isTaken)
  }

  @Test func aPublicListenerIsWarnedOf() {
    #expect(
      Sample.said(after: "metrics:\n  listen: 0.0.0.0:9464\n") == [
        "2:11: warning: 0.0.0.0 can be reached from other hosts, and no password is asked for there"
      ])
  }

  @Test func aRefusedURLIsNeverShown() {
    let said = Sample.said(after: "api:\n  base_url: https://u:hunter2@offertown.net/\n")
    #expect(said == ["2:13: a base URL has no user or password (@)"])
  }
}
