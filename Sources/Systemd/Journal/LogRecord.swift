internal import Logging

/// The content of one call of a logger: its message, and its metadata in an order that does not change.
struct LogRecord {
  var level: Logger.Level
  var message: String
  /// The keys of metadata with their values as text.
  var fields: [(key: String, value: String)]

  /// Longer values are cut: no caller may fill the queue, or the journal, with one record.
  static let valueBytesMax = 16 << 10

  /// Metadata of the call counts before that of the logger, and that before what the provider says.
  init(_ event: LogEvent, metadata: Logger.Metadata, provider: Logger.MetadataProvider?) {
    level = event.level
    message = Self.cut(event.message.description)
    var all = provider?.get() ?? [:]
    all.merge(metadata) { $1 }
    if let own = event.metadata { all.merge(own) { $1 } }
    if let error = event.error, all["error"] == nil { all["error"] = .string(String(describing: error)) }
    fields = all.map { (key: $0.key, value: Self.cut($0.value.description)) }
    fields.sort { a, b in
      let (left, right) = (Self.rank(a.key), Self.rank(b.key))
      return left == right ? a.key < b.key : left < right
    }
  }

  init(level: Logger.Level, message: String, fields: [(key: String, value: String)]) {
    self.level = level
    self.message = message
    self.fields = fields
  }

  /// The line that tells of a gap.
  static func gap(of count: Int) -> LogRecord {
    let message = "\(count) lines were dropped here: what reads the log was too slow"
    let fields = [(key: "dropped", value: String(count)), (key: "event", value: "log_dropped")]
    return LogRecord(level: .warning, message: message, fields: fields)
  }

  func value(of key: String) -> String? { fields.first { $0.key == key }?.value }

  /// The keys that a reader looks for first, which come first; the event's name comes last.
  private static let order = [
    "order", "referral", "value", "currency", "outcome", "attempt", "http_status", "sqlstate", "reason", "next_try",
    "duration_ms",
  ]

  private static func rank(_ key: String) -> Int {
    key == "event" ? .max : order.firstIndex(of: key) ?? order.count
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > valueBytesMax else { return text }
    return String(decoding: text.utf8.prefix(valueBytesMax), as: UTF8.self) + "…"
  }
}

extension Logger.Level {
  /// The syslog priority (RFC 5424, 6.2.1): 3 is for what needs a person, and nothing is above it.
  var syslogPriority: Int {
    switch self {
    case .critical, .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }
}
