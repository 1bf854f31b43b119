import Configuration
import Conversions
import Orders
import Pipeline

/// Turns the configuration into the values of the modules that carry it out.
extension Configuration {
  /// The mapping by which the shop's table is read.
  var orderMapping: OrderMapping {
    OrderMapping(
      connection: orders.connection, from: orders.from, key: orders.key, condition: orders.where,
      columns: orders.columns, totalUnit: orders.totalUnit, timeZone: orders.timeZone,
      qualifyingStatuses: orders.qualifyingStatuses, qualifies: orders.qualifies, metadata: reporting.metadata,
      notifyChannel: orders.notifyChannel)
  }

  /// The rules that decide which referral gets an order.
  var attributionRules: AttributionRules {
    // A key without a mapped column is skipped: it could never match.
    let mapped = matching.keys.filter { key in
      switch key {
      case .externalSourceID: orders.columns.externalSourceID != nil
      case .email: orders.columns.email != nil
      }
    }
    return AttributionRules(
      keys: mapped, choose: matching.choose, attributionWindow: matching.attributionWindow,
      waitForReferral: matching.waitForReferral, selfReferral: matching.selfReferral, hold: reporting.hold,
      amounts: AmountRules(
        unit: orders.totalUnit ?? .cents, rounding: orders.rounding, otherCurrency: reporting.otherCurrency))
  }

  /// The time from which intake begins.
  var intakeStart: Intake.Start {
    if let time = orders.start.time { return .from(time) }
    return switch orders.start {
    case .beginning: .everything
    case .now: .firstStart
    case .auto, .instant, .day: .oldestOpenReferral
    }
  }

  /// The start as the operator wrote it.
  var startText: String {
    switch orders.start {
    case .auto: "auto"
    case .beginning: "beginning"
    case .now: "now"
    case .instant(let microseconds): Timestamp(microseconds: microseconds).description
    case .day(let year, let month, let day):
      String(Timestamp(utcYear: year, month: month, day: day).description.prefix(10))
    }
  }

  /// The settings that make an order this shop's: an entry of the ledger means another order when one of them changes.
  var source: ConfiguredSource {
    ConfiguredSource(from: orders.from, key: orders.key, id: orders.columns.id, baseURL: api.baseURL.text)
  }

  /// All that decides which rows are orders, which of them qualify, and from when on they take part.
  var rowRules: String {
    let qualifying = orders.qualifies ?? orders.qualifyingStatuses.joined(separator: ",")
    let source = "from=\(orders.from) key=\(orders.key) id=\(orders.columns.id)"
    return "\(source) \(mappingIdentity) qualifies=\(qualifying) start=\(intakeStart)"
  }

  /// The settings by which all of an order's values are read.
  var mappingIdentity: String { "\(orders.columns) zone=\(orders.timeZone) where=\(orders.where ?? "")" }

  /// The ledger's file.
  var ledgerPath: String {
    switch ledger.location {
    case .sqlite(let path): path
    }
  }
}

extension Configuration.Orders.Start {
  /// The time that it names; nil for one that is found at a start.
  var time: Timestamp? {
    switch self {
    case .instant(let microseconds): Timestamp(microseconds: microseconds)
    case .day(let year, let month, let day): Timestamp(utcYear: year, month: month, day: day)
    case .auto, .beginning, .now: nil
    }
  }
}
