import Conversions
import Ledger

/// The source that a ledger's orders are of, as the running daemon tells it. The shape is a contract, like
/// `StatusReport`'s.
struct SourceReport: Codable, Sendable {
  var version = 1
  /// `orders.from`, `orders.key`, `orders.columns.id` and `api.base_url`; nil where the ledger holds no orders.
  var from: String?
  var key: String?
  var id: String?
  var baseUrl: String?
  /// The database and its types; nil where they were never learnt.
  var database: String?
  var table: String?
  var keyFamily: String?
  var idFamily: String?
  /// The orders to which `orders.start` may not reach back.
  var left: OrdersLeftBehind?

  init(_ known: (configured: ConfiguredSource?, surveyed: SurveyedSource?)?, _ left: OrdersLeftBehind) {
    self.left = left
    (from, key, id) = (known?.configured?.from, known?.configured?.key, known?.configured?.id)
    (baseUrl, database, table) = (known?.configured?.baseURL, known?.surveyed?.database, known?.surveyed?.table)
    (keyFamily, idFamily) = (known?.surveyed?.keyFamily?.rawValue, known?.surveyed?.idFamily?.rawValue)
  }

  /// The source as it is configured.
  var configured: ConfiguredSource? {
    guard let from, let key, let id else { return nil }
    return ConfiguredSource(from: from, key: key, id: id, baseURL: baseUrl)
  }

  /// The source as the shop's database told it.
  var surveyed: SurveyedSource? {
    database.map { database in
      SurveyedSource(
        database: database, table: table, keyFamily: keyFamily.flatMap(TypeFamily.init(rawValue:)),
        idFamily: idFamily.flatMap(TypeFamily.init(rawValue:)))
    }
  }
}

/// Tells what `accept-mapping` would do, or has done. The shape is a contract, like `StatusReport`'s.
struct AcceptMappingReport: Codable, Sendable {
  struct Change: Codable, Sendable {
    var setting: String
    var old: String
    var new: String
  }

  var version = 1
  var accepted: Bool
  var changes: [Change]
  var orders: Int
  /// Orders that were never sent, lose their rows and end as cancelled.
  var open: Int
  var openSince: String?
  /// Orders placed before this are not taken; nil where that stays as it was.
  var takesOrdersFrom: String?
  /// Orders, reported in the last 60 days, whose rows are not looked at any more.
  var uncompared: Int
  /// True if the shop's database could be asked.
  var databaseAsked: Bool

  init(_ acceptance: MappingAcceptance, since: Timestamp?, accepted: Bool, asked: Bool) {
    self.accepted = accepted
    changes = acceptance.changes.map { Change(setting: $0.setting, old: $0.old, new: $0.new) }
    orders = acceptance.orders
    let isAPIAlone = since == nil && acceptance.changes.allSatisfy { $0.setting == SourceChange.baseURLSetting }
    open = isAPIAlone ? 0 : acceptance.open
    openSince = isAPIAlone ? nil : acceptance.openSince?.description
    takesOrdersFrom = isAPIAlone ? nil : (since ?? acceptance.newest.map { $0 + .microseconds(1) })?.description
    uncompared = isAPIAlone ? 0 : acceptance.uncompared
    databaseAsked = asked
  }

  /// The line of the log that says who accepted it, and what followed.
  func note(by actor: String, at now: Timestamp) -> String {
    let changes = changes.map { "\($0.setting) was \($0.old) and is \($0.new)" }.joined(separator: "; ")
    let start = takesOrdersFrom.map { "; orders placed from \($0) on are taken" } ?? ""
    let lost =
      open > 0
      ? "; \(open) orders that were never sent lost their rows, and end as cancelled unless their IDs come back" : ""
    let words = "\(actor) accepted another mapping, database or API at \(now): \(changes)\(start)\(lost)"
    return words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The words for reported orders whose rows are other orders now.
  static func uncompared(_ count: Int) -> String {
    "orders reported before are not compared with the shop any more: \(count) of them in the last 60 days; what is refunded "
      + "or cancelled of them is not told, correct it in the partner dashboard"
  }

  var text: String {
    let asked =
      databaseAsked ? "" : "the shop's database does not answer: what it is now is learned at the next start\n"
    guard !changes.isEmpty else {
      return "nothing to accept: the mapping is the one of the ledger's orders\n"
        + "orders.start says from when on orders are taken in; a start refuses one that reaches back to orders which were "
        + "reported under other IDs\n" + asked
    }
    var lines = changes.map { "\($0.setting)\n  was  \($0.old)\n  is   \($0.new)" }
    lines.append(
      "\(orders) orders are known; what was reported stays so, and is not reported again under the same order ID")
    if let takesOrdersFrom { lines.append("orders placed from \(takesOrdersFrom) on are taken; earlier ones are not") }
    if uncompared > 0 { lines.append(Self.uncompared(uncompared)) }
    if open > 0 {
      lines.append(
        "\(open) orders that were never sent lose their rows and end as cancelled, unless their IDs come back"
          + (openSince.map { ": --since \($0.prefix(10)) reads back to the first that may still be reported" } ?? ""))
    }
    lines.append(accepted ? "accepted" : "nothing was changed; with --yes it is")
    return lines.joined(separator: "\n") + "\n" + asked
  }
}
