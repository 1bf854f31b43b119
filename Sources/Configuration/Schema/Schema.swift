/// Every key there is, in the order of the example file: the one place that names them.
enum Schema {
  static let keys: [SchemaKey] = orders + columns + ordersRules + matching + reporting + api + ledger + log + metrics

  /// Every section, outer ones first.
  static let sections = [
    "orders", "orders.columns", "matching", "reporting", "api", "ledger", "log", "metrics",
  ]

  /// The most that the API's limits allow (API reference, Rate limits).
  static let writesPerMinuteMax = 30
  /// The fewest reads a minute: with fewer, the two or three before a send take longer than their answer is valid.
  static let readsPerMinuteMin = 60
  static let conversionsPerMinuteMax = 60

  static func key(_ path: String) -> SchemaKey? { byPath[path] }

  private static let byPath = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })

  /// The longest duration where days are counted: twenty-seven years, for "always".
  static let longest = Duration.seconds(9_999 * 86_400)

  private static let matching: [SchemaKey] = [
    SchemaKey(
      "matching.keys", \.matching.keys,
      .list(
        of: .choice, example: "[external_source_id, email]", emptyIs: "an empty list matches nothing; name a key"),
      .optional(default: "[external_source_id, email]"),
      """
      The keys that an order and a referral are matched by, in order of precedence.
      A key whose column is not mapped above is skipped.
      """),
    SchemaKey(
      "matching.choose", \.matching.choose, .choice, .optional(default: "first"),
      "The referral that is taken when several match one order: the one made first, or last."),
    SchemaKey(
      "matching.attribution_window", \.matching.attributionWindow, .duration(.seconds(1)...longest),
      .optional(default: "90d"),
      "An order counts when it was placed within this long after the referral was made."),
    SchemaKey(
      "matching.wait_for_referral", \.matching.waitForReferral, .duration(.zero...longest), .optional(default: "14d"),
      """
      An order without a referral is tried again for this long after it was placed.
      Longer where referrals are imported late.
      """),
    SchemaKey(
      "matching.self_referral", \.matching.selfReferral, .choice, .optional(default: "review"),
      """
      An order whose buyer is its referrer (customer_id or e-mail equals referrerIdentifier):
      a person decides, or it is reported like any other.
      """),
  ]

  private static let reporting: [SchemaKey] = [
    SchemaKey(
      "reporting.hold", \.reporting.hold, .duration(.zero...longest), .optional(default: "0s"),
      """
      Wait this long after an order was placed, look at it again, then report it. A report cannot
      be taken back: set it to the length of your right of return, such as 14d, to report what was kept.
      """),
    SchemaKey(
      "reporting.other_currency", \.reporting.otherCurrency, .choice, .optional(default: "review"),
      "The API takes EUR only. Of an order in another currency a person decides, or it is reported without a value."),
    SchemaKey(
      "reporting.metadata", \.reporting.metadata, .metadata, .optional(default: "{}"), allowsNull: true,
      """
      Sent with each report: a name, and the SQL expression of its value, such as
      { sku: sku, channel: "'web'" }. At most 4 KiB in all.
      """),
    SchemaKey(
      "reporting.give_up_after", \.reporting.giveUpAfter, .duration(.seconds(1)...longest), .optional(default: "30d"),
      "A report that was tried for this long in vain goes to review; it is never dropped."),
  ]

  private static let api: [SchemaKey] = [
    SchemaKey(
      "api.base_url", \.api.baseURL, .baseURL, .optional(default: "https://offertown.net/api/v1/partners"),
      "The partners API. https, or http to this host for trials with `conversiond sandbox`."),
    SchemaKey(
      "api.key_file", \.api.keyFile, .absolutePath, .optional(default: "/etc/conversiond/api-key"),
      """
      The file with the API key alone, readable by its owner only (mode 0600). Used where systemd
      hands over no credential named api-key. A new key is taken at a restart.
      """),
    SchemaKey(
      "api.writes_per_minute", \.api.writesPerMinute, .rate, .optional(default: "30"),
      """
      This host's share of the API's 30 writes a minute for one IP address.
      Less where other programs write from the same address.
      """),
    SchemaKey(
      "api.conversions_per_minute", \.api.conversionsPerMinute, .rate, .optional(default: "60"),
      "This host's share of the API's 60 conversion reports a minute for one partner."),
    SchemaKey(
      "api.reads_per_minute", \.api.readsPerMinute, .rate, .optional(default: "120"),
      "A courtesy limit, from 60 on: the API states none for reads."),
    SchemaKey(
      "api.timeout", \.api.timeout, .duration(.seconds(1)...(.seconds(300))), .optional(default: "30s"),
      "The longest that one request may take in all, from the name's look-up to the last byte."),
  ]

  private static let ledger: [SchemaKey] = [
    SchemaKey(
      "ledger.location", \.ledger.location, .ledgerLocation,
      .optional(default: "sqlite:/var/lib/conversiond/ledger.sqlite"),
      """
      The place of all that the daemon must remember: sqlite: and an absolute path on a local disk.
      A ledger in PostgreSQL is planned.
      """),
    SchemaKey(
      "ledger.retain", \.ledger.retain, .duration(.seconds(1)...longest), .optional(default: "400d"),
      "Finished entries are kept for this long; after that only what keeps them from being reported again."),
    SchemaKey(
      "ledger.size_max", \.ledger.sizeMax, .size((1 << 20)...(1 << 40)), .optional(default: "2GiB"),
      """
      At four fifths of this size intake stops and says so; below three quarters it goes on.
      Reports go on all the time.
      """),
  ]

  private static let log: [SchemaKey] = [
    SchemaKey(
      "log.level", \.log.level, .choice, .optional(default: "info"),
      "The least severe lines that are written: info has one for each report, notice one for each change of state."),
    SchemaKey(
      "log.emails", \.log.emails, .choice, .optional(default: "masked"),
      "E-mail addresses are written so: a***@example.com, as a hash, or in full."),
  ]

  private static let metrics: [SchemaKey] = [
    SchemaKey(
      "metrics.listen", \.metrics.listen, ValueKind.listenAddress.orNull, .optional(default: "null"),
      """
      The address of /metrics (Prometheus) and /healthz, such as 127.0.0.1:9464. No password is asked for:
      keep it to this host or to a network you trust.
      """)
  ]
}
