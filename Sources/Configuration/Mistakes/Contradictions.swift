import Conversions

/// The rules that hold between keys, each of which is right by itself.
struct Contradictions {
  private let reading: SchemaReading
  private(set) var findings: [Finding] = []

  private var configuration: Configuration { reading.configuration }

  /// Judges what was read without a mistake; keys that hold one are left alone.
  init(_ reading: SchemaReading) {
    self.reading = reading
    judgeMatchingKeys()
    judgeQualification()
    judgeTotal()
    judgeDurations()
    judgeRates()
    judgeListener()
  }

  private static let keyColumns: [(key: MatchingKey, path: String)] = [
    (.externalSourceID, "orders.columns.external_source_id"), (.email, "orders.columns.email"),
  ]

  private mutating func judgeMatchingKeys() {
    guard isSound("orders", "orders.columns", "matching.keys"), reading.given["orders.columns"] != nil else { return }
    guard Self.keyColumns.allSatisfy({ reading.isSound($0.path) }) else { return }
    let mapped = Self.keyColumns.filter { reading.position($0.path) != nil }.map(\.key)
    let keys = configuration.matching.keys
    if mapped.isEmpty {
      let message = "neither email nor external_source_id is mapped, so that no order could match; map one of them"
      add(reading.nearestPosition("orders.columns"), message)
    } else if !keys.contains(where: mapped.contains) {
      let names = keys.map(\.rawValue).joined(separator: ", ")
      let message = "no column is mapped for \(names); name a mapped one, or map it under orders.columns"
      add(reading.position("matching.keys") ?? reading.nearestPosition("matching.keys"), message)
    } else if let position = reading.position("matching.keys") {
      for key in keys where !mapped.contains(key) {
        warn(position, "\(key.rawValue) is skipped, as orders.columns.\(key.rawValue) is not mapped")
      }
    }
  }

  private mutating func judgeQualification() {
    let statuses = "orders.qualifying_statuses"
    guard isSound("orders", statuses, "orders.qualifies") else { return }
    if let condition = reading.position("orders.qualifies") {
      if let list = reading.position(statuses), !configuration.orders.qualifyingStatuses.isEmpty {
        let first = "qualifying_statuses (line \(list.line))"
        add(condition, "qualifies and \(first) exclude each other; keep one of them")
      }
      return
    }
    if configuration.orders.qualifyingStatuses.isEmpty {
      add(reading.position(statuses) ?? .start, "an empty list lets no order qualify; name the statuses of paid orders")
      return
    }
    guard isSound("orders.columns", "orders.columns.status"), reading.given["orders.columns"] != nil else { return }
    if reading.position("orders.columns.status") == nil {
      let position = reading.position(statuses) ?? reading.nearestPosition("orders.columns")
      add(position, "qualifying_statuses needs orders.columns.status, which is not mapped; map it, or give qualifies")
    }
  }

  private mutating func judgeTotal() {
    guard isSound("orders.columns.total", "orders.columns.currency") else { return }
    if let total = reading.position("orders.columns.total"), reading.position("orders.columns.currency") == nil {
      add(total, "total needs a currency; map orders.columns.currency: a column, or a literal such as \"'EUR'\"")
    }
  }

  private mutating func judgeDurations() {
    let (matching, reporting) = (configuration.matching, configuration.reporting)
    warnIfLonger(
      ("reporting.hold", reporting.hold), than: ("reporting.give_up_after", reporting.giveUpAfter),
      "a report would wait for longer than it is tried")
    warnIfLonger(
      ("matching.attribution_window", matching.attributionWindow), than: ("ledger.retain", configuration.ledger.retain),
      "what became of an order would be forgotten while its referral still counts")
    warnIfLonger(
      ("reporting.hold", reporting.hold), than: ("ledger.retain", configuration.ledger.retain),
      "an order would be held for longer than the ledger remembers")
  }

  /// Warns at whichever of the two was given, the first one before the second.
  private mutating func warnIfLonger(
    _ a: (path: String, value: Duration), than b: (path: String, value: Duration), _ consequence: String
  ) {
    guard isSound(a.path, b.path), a.value > b.value else { return }
    guard let position = reading.position(a.path) ?? reading.position(b.path) else { return }
    let (first, second) = (DurationText.write(a.value), DurationText.write(b.value))
    warn(position, "\(a.path) (\(first)) is longer than \(b.path) (\(second)): \(consequence)")
  }

  private mutating func judgeRates() {
    let api = configuration.api
    judge("api.writes_per_minute", api.writesPerMinute, Schema.writesPerMinuteMax)
    judge("api.conversions_per_minute", api.conversionsPerMinute, Schema.conversionsPerMinuteMax)
    guard let position = reading.position("api.reads_per_minute"), isSound("api.reads_per_minute") else { return }
    guard case .perMinute(let count) = api.readsPerMinute, count < Schema.readsPerMinuteMin else { return }
    add(
      position,
      "too few: an order's referrals are asked for right before it is sent, and so slowly the answers come too late; "
        + "give \(Schema.readsPerMinuteMin) or more")
  }

  private mutating func judge(_ path: String, _ rate: RateLimit, _ limit: Int) {
    guard let position = reading.position(path) else { return }
    if case .perMinute(let count) = rate, count <= limit { return }
    warn(
      position, "more than the API's limit of \(limit) a minute; it will refuse what is beyond, unless yours is raised")
  }

  private mutating func judgeListener() {
    guard let position = reading.position("metrics.listen"), let address = configuration.metrics.listen else { return }
    guard !address.isLoopback else { return }
    warn(position, "\(address.host) can be reached from other hosts, and no password is asked for there")
  }

  private func isSound(_ paths: String...) -> Bool { paths.allSatisfy(reading.isSound) }

  private mutating func add(_ position: Position, _ message: String) {
    findings.append(Finding(position: position, message: message))
  }

  private mutating func warn(_ position: Position, _ message: String) {
    findings.append(Finding(position: position, message: message, severity: .warning))
  }
}
