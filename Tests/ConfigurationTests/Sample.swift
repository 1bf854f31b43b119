import Configuration
import Conversions

/// Configurations to make mistakes in.
enum Sample {
  /// The least that a configuration needs; each section's lines begin at a known place.
  static let orders = """
    orders:
      connection: "host=/var/run/postgresql dbname=shop"
      from: public.orders
      columns:
        id: id
        email: customer_email
        status: status
        placed_at: created_at

    """

  /// The same as JSON.
  static let json = """
    {
      "orders": {
        "connection": "host=\\/var\\/run\\/postgresql dbname=shop",
        "from": "public.orders",
        "columns": {
          "id": "id",
          "email": "customer_email",
          "status": "status",
          "placed_at": "created_at"
        }
      }
    }
    """

  /// The lines of ``orders``: what is added behind begins at the next one.
  static let linesBefore = 8

  /// Every key, as the operator's documentation shows them.
  static let full = """
    orders:
      connection: "host=/var/run/postgresql dbname=shop"
      from: public.orders
      key: id
      where: null
      columns:
        id: id
        email: customer_email
        external_source_id: lead_id
        customer_id: null
        total: total_cents
        currency: currency
        status: status
        placed_at: created_at
        updated_at: updated_at
      total_unit: cents
      rounding: refuse
      time_zone: UTC
      qualifying_statuses: [paid, completed]
      qualifies: null
      start: auto
      poll_interval: 5s
      sweep_interval: 60s
      notify_channel: null
    matching:
      keys: [external_source_id, email]
      choose: first
      attribution_window: 90d
      wait_for_referral: 14d
      self_referral: review
    reporting:
      hold: 0s
      other_currency: review
      metadata: {}
      give_up_after: 30d
    api:
      base_url: https://offertown.net/api/v1/partners
      key_file: /etc/conversiond/api-key
      writes_per_minute: 30
      conversions_per_minute: 60
      reads_per_minute: 120
      timeout: 30s
    ledger:
      location: sqlite:/var/lib/conversiond/ledger.sqlite
      retain: 400d
      size_max: 2GiB
    log:
      level: info
      emails: masked
    metrics:
      listen: null

    """

  /// The configuration that ``full`` makes.
  static var fullConfiguration: Configuration {
    var columns = Order.Columns(id: "id", placedAt: "created_at")
    columns.email = "customer_email"
    columns.externalSourceID = "lead_id"
    columns.total = "total_cents"
    columns.currency = "currency"
    columns.status = "status"
    columns.updatedAt = ["updated_at"]
    let connection = "host=/var/run/postgresql dbname=shop"
    var configuration = Configuration(orders: .init(connection: connection, from: "public.orders", columns: columns))
    configuration.orders.totalUnit = .cents
    return configuration
  }

  /// Returns what is said of a text: every mistake and every warning, one a line.
  static func said(_ text: String) -> [String] {
    switch ConfigurationReader.read(text: text, name: "c.yaml") {
    case .success(let reading): reading.warnings.map(\.description)
    case .failure(let failure): (failure.mistakes + failure.warnings).map(\.description)
    }
  }

  /// Returns what is said of ``orders`` with `rest` behind it, with lines counted from the beginning of `rest`.
  static func said(after rest: String) -> [String] {
    said(orders + rest).map { line in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, let number = Int(parts[1]) else { return line }
      return "\(number - linesBefore):\(parts[2])"
    }
  }

  /// The configuration that ``orders`` and `rest` make, where they make one.
  static func configuration(_ rest: String = "") -> Configuration? {
    try? ConfigurationReader.read(text: orders + rest, name: "c.yaml").get().configuration
  }

  /// Returns what is said of ``orders`` with one line replaced or added under `orders:`, without the place.
  static func said(orders line: String) -> [String] {
    let name = line.prefix { $0 != ":" }
    let kept = orders.split(separator: "\n").filter { !$0.hasPrefix("  \(name):") }.map(String.init)
    return messages(([kept[0], "  \(line)"] + kept.dropFirst()).joined(separator: "\n"))
  }

  /// Returns what is said of ``orders`` with one line replaced or added under `columns:`, without the place.
  static func said(column line: String) -> [String] {
    let name = line.prefix { $0 != ":" }
    let kept = orders.split(separator: "\n").filter { !$0.hasPrefix("    \(name):") }.map(String.init)
    return messages((kept + ["    \(line)"]).joined(separator: "\n"))
  }

  private static func messages(_ text: String) -> [String] {
    said(text).map { line in
      String(line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)[3].dropFirst())
    }
  }
}
