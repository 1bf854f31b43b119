import Configuration
import Conversions
import Testing

@Suite struct ConfigurationReaderTests {
  @Test func everyKeyIsRead() throws {
    let reading = try ConfigurationReader.read(text: Sample.full, name: "c.yaml").get()
    #expect(reading.configuration == Sample.fullConfiguration)
    #expect(reading.warnings.isEmpty)
  }

  @Test func whatIsNotGivenHasItsDefault() throws {
    let configuration = try #require(Sample.configuration())
    #expect(configuration.orders.key == "id")
    #expect(configuration.orders.qualification == .statuses(["paid", "completed"]))
    #expect(configuration.matching == .init())
    #expect(configuration.api.baseURL.text == "https://offertown.net/api/v1/partners")
    #expect(configuration.ledger.sizeMax == 2_147_483_648)
    #expect(Sample.configuration("api:\nlog:\n  # nothing\n") == configuration)
  }

  @Test func everyKeyCanBeSet() throws {
    let text = """
      orders:
        connection: postgresql://conversiond@db.example.com/shop?sslmode=verify-full
        from: '"order" o JOIN customer c ON c.id = o.customer_id'
        key: o.id
        where: NOT o.is_draft
        columns:
          {id: o.number, email: c.email, external_source_id: "o.meta ->> 'lead'", customer_id: "c.id::text", total: o.total,
           currency: "'EUR'", placed_at: o.created_at, updated_at: [o.updated_at, c.updated_at]}
        total_unit: major
        rounding: half_up
        time_zone: Europe/Berlin
        qualifies: o.paid AND NOT o.cancelled
        start: 2026-01-31
        poll_interval: 500ms
        sweep_interval: 2m
        notify_channel: orders
      matching: {keys: [email], choose: last, attribution_window: 9999d, wait_for_referral: 0s, self_referral: report}
      reporting:
        hold: 14d
        other_currency: omit_value
        metadata:
          sku: o.sku
          channel: "'web'"
        give_up_after: 480h
      api:
        base_url: http://127.0.0.1:8080/v1/
        key_file: "/run/key"
        writes_per_minute: 10
        conversions_per_minute: unlimited
        reads_per_minute: unlimited
        timeout: 5s
      ledger: {location: "sqlite:/tmp/l.sqlite", retain: 9999d, size_max: 64MiB}
      log: {level: debug, emails: hashed}
      metrics: {listen: "[::1]:9464"}
      """
    let reading = try ConfigurationReader.read(text: text, name: "c.yaml").get()
    let warning = "c.yaml:29:27: warning: more than the API's limit of 60 a minute"
    #expect(
      reading.warnings.map(\.description) == [warning + "; it will refuse what is beyond, unless yours is raised"])
    let orders = reading.configuration.orders
    #expect(orders.from == "\"order\" o JOIN customer c ON c.id = o.customer_id")
    #expect(orders.key == "o.id" && orders.where == "NOT o.is_draft" && orders.columns.id == "o.number")
    #expect(orders.columns.currency == "'EUR'" && orders.columns.externalSourceID == "o.meta ->> 'lead'")
    #expect(orders.columns.updatedAt == ["o.updated_at", "c.updated_at"])
    #expect(orders.totalUnit == .major && orders.rounding == .halfUp && orders.timeZone == "Europe/Berlin")
    #expect(orders.qualification == .condition("o.paid AND NOT o.cancelled"))
    #expect(orders.start == .day(year: 2026, month: 1, day: 31))
    #expect(orders.pollInterval == .milliseconds(500) && orders.sweepInterval == .seconds(120))
    #expect(orders.notifyChannel == "orders")
    let matching = reading.configuration.matching
    #expect(matching.keys == [.email] && matching.choose == .last && matching.selfReferral == .report)
    #expect(matching.attributionWindow == .seconds(9_999 * 86_400) && matching.waitForReferral == .zero)
    let reporting = reading.configuration.reporting
    #expect(
      reporting.metadata == [.init(name: "sku", expression: "o.sku"), .init(name: "channel", expression: "'web'")])
    #expect(reporting.hold == .seconds(14 * 86_400) && reporting.giveUpAfter == .seconds(480 * 3_600))
    #expect(reporting.otherCurrency == .omitValue)
    let api = reading.configuration.api
    #expect(api.baseURL.text == "http://127.0.0.1:8080/v1" && api.keyFile == "/run/key" && api.timeout == .seconds(5))
    #expect(api.writesPerMinute == .perMinute(10) && api.conversionsPerMinute == .unlimited)
    #expect(reading.configuration.ledger.location == .sqlite(path: "/tmp/l.sqlite"))
    #expect(reading.configuration.ledger.sizeMax == 64 << 20)
    #expect(reading.configuration.log.level == .debug && reading.configuration.log.emails == .hashed)
    #expect(reading.configuration.metrics.listen == ListenAddress(host: "::1", port: 9464))
  }

  @Test func tenMistakesAreTenLines() {
    let text = """
      orders:
        connection: "host=db.example.com dbname=shop"
        from: orders; DROP TABLE orders
        columns:
          id: "order_id, secret"
          emial: customer_email
          email: customer_email
          total: total_cents
          status: status
        poll_interval: "5"
      matching:
        choose: frist
        timeout: 5s
      api:
        base_url: http://offertown.net/api/v1/partners
        writes_per_minute: 0
      ledger:
        size_max: 2GB
      """
    let expected = """
      c.yaml:2:15: without sslmode libpq allows a connection to db.example.com that anybody on the way can read; \
      write sslmode=verify-full (or verify-ca, or require)
      c.yaml:3:9: this SQL cannot be used: a ; would end the query
      c.yaml:4:3: orders.columns.placed_at is missing; it has no default; write placed_at: and a value, such as created_at
      c.yaml:5:9: two expressions where one belongs: a comma stands outside parentheses
      c.yaml:6:5: unknown key "emial" in orders.columns; did you mean "email"?
      c.yaml:8:12: total needs a currency; map orders.columns.currency: a column, or a literal such as "'EUR'"
      c.yaml:10:18: 5 is not a duration; write a whole number and ms, s, m, h or d, such as 5s
      c.yaml:12:11: frist is not one of first, last; did you mean "first"?
      c.yaml:13:3: unknown key "timeout" in matching; it belongs under api:
      c.yaml:15:13: http would send the key in the open; write https (http is for this host alone)
      c.yaml:16:22: 0 is not a rate; write a whole number from 1, or unlimited
      c.yaml:18:13: 2GB is not a size; write a whole number and KiB, MiB, GiB or TiB, such as 2GiB
      """
    #expect(Sample.said(text).joined(separator: "\n") == expected)
  }

  @Test func jsonHasPositionsToo() {
    let text = """
      {
        "orders": {"connection": "dbname=shop", "from": "o",
                   "columns": {"id": "id", "email": null, "status": "s", "placed_at": "t"}, "start": "tomorrow"},
        "log": {"level": 5}, "metrics": {"listen": ["a"]}
      }
      """
    let start = "auto, now, beginning, a day such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z"
    #expect(
      Sample.said(text) == [
        "c.yaml:3:14: neither email nor external_source_id is mapped, so that no order could match; map one of them",
        "c.yaml:3:96: tomorrow is not a start; write \(start)",
        "c.yaml:4:20: 5 is not one of debug, info, notice, warning, error",
        "c.yaml:4:46: a list is not an address and a port, such as 127.0.0.1:9464",
      ])
  }

  @Test func theWholeSchemaWorksAsJSON() throws {
    let text = """
      {"orders": {"connection": "", "from": "o", "columns": {"id": "id", "email": "e", "status": "s", "placed_at": "t"},
        "where": null, "qualifying_statuses": ["paid"], "poll_interval": "1s"}, "api": {"writes_per_minute": 12}}
      """
    let configuration = try ConfigurationReader.read(text: text, name: "c.json").get().configuration
    #expect(configuration.orders.qualifyingStatuses == ["paid"] && configuration.orders.where == nil)
    #expect(configuration.api.writesPerMinute == .perMinute(12) && configuration.orders.connection == "")
  }

  @Test func jsonMayBeIndentedWithTabs() throws {
    let text = Sample.json.replacing("  ", with: "\t")
    #expect(text.contains("\n\t\t\"from\"") && Sample.said(text).isEmpty)
    #expect(try ConfigurationReader.read(text: text, name: "c").get().configuration == Sample.configuration())
  }

  @Test func whatIsRequiredIsAskedForAtItsSection() {
    let missing = { (path: String, name: String, example: String) in
      "\(path) is missing; it has no default; write \(name): and a value, such as \(example)"
    }
    let all = [
      missing("orders.connection", "connection", "\"host=/var/run/postgresql dbname=shop\""),
      missing("orders.from", "from", "public.orders"), missing("orders.columns.id", "id", "id"),
      missing("orders.columns.placed_at", "placed_at", "created_at"),
    ]
    #expect(Sample.said("api: {}") == all.map { "c.yaml:1:1: " + $0 })
    #expect(Sample.said("log:\norders:\n") == all.map { "c.yaml:2:1: " + $0 })
    let text = "orders:\n  connection: ''\n  from: o\n  columns:\n    email: e\n    status: s\n"
    #expect(Sample.said(text) == all[2...].map { "c.yaml:4:3: " + $0 })
  }

  @Test func aMisspeltSectionIsOneMistake() {
    #expect(Sample.said("order:\n  from: x\n") == ["c.yaml:1:1: unknown key \"order\"; did you mean \"orders\"?"])
    #expect(
      Sample.said("orders: [a]\n") == [
        "c.yaml:1:9: a list is not a section; write its keys below orders:, further to the right"
      ])
  }
}
