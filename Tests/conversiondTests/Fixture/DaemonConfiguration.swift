/// The text of a configuration, from values by their paths (`orders.poll_interval`), each as YAML writes it.
struct DaemonConfiguration: Sendable {
  private var values: [(path: String, value: String)]

  /// The configuration that most tests want: a fast poll, no pacing, nothing to skip.
  init(connection: String, baseURL: String, keyFile: String, ledger: String) {
    values = [
      ("orders.connection", Self.quoted(connection)), ("orders.from", "orders"), ("orders.columns.id", "id"),
      ("orders.columns.email", "customer_email"), ("orders.columns.external_source_id", "lead_id"),
      ("orders.columns.customer_id", "customer_id"), ("orders.columns.total", "total_cents"),
      ("orders.columns.currency", "currency"), ("orders.columns.status", "status"),
      ("orders.columns.placed_at", "created_at"), ("orders.total_unit", "cents"), ("orders.poll_interval", "200ms"),
      ("orders.start", "beginning"),
      ("api.base_url", Self.quoted(baseURL)), ("api.key_file", Self.quoted(keyFile)),
      ("api.writes_per_minute", "unlimited"), ("api.conversions_per_minute", "unlimited"),
      ("api.reads_per_minute", "unlimited"), ("ledger.location", Self.quoted("sqlite:" + ledger)),
      ("log.level", "debug"),
    ]
  }

  /// Sets a value, in place of the one that is there.
  subscript(path: String) -> String? {
    get { values.first { $0.path == path }?.value }
    set {
      let index = values.firstIndex { $0.path == path }
      switch (index, newValue) {
      case (let index?, let value?): values[index].value = value
      case (let index?, nil): values.remove(at: index)
      case (nil, let value?): values.append((path, value))
      case (nil, nil): break
      }
    }
  }

  var text: String {
    var lines: [String] = []
    var sections: [String] = []
    for (path, _) in values {
      let section = String(path.prefix { $0 != "." })
      if !sections.contains(section) { sections.append(section) }
    }
    for section in sections {
      lines.append("\(section):")
      let own = values.filter { $0.path.hasPrefix(section + ".") }
      for (path, value) in own where !path.hasPrefix("orders.columns.") {
        lines.append("  \(path.dropFirst(section.count + 1)): \(value)")
      }
      guard section == "orders" else { continue }
      lines.append("  columns:")
      for (path, value) in own where path.hasPrefix("orders.columns.") {
        lines.append("    \(path.dropFirst("orders.columns.".count)): \(value)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
