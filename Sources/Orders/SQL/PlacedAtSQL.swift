/// SQL that turns `placed_at` into two instants: the earliest and the latest that it may mean.
///
/// Only in the select list: a converted column in a condition would defeat its index.
struct PlacedAtSQL {
  let type: PlacedAtType
  /// The column of the inner select.
  let column: String
  /// The parameter that holds `orders.time_zone`.
  let zone: String

  /// Joins that compute `early` and `late`; they follow the inner select.
  var joins: String {
    let finite = "CASE WHEN isfinite(\(column)) THEN \(column) END"
    switch type.kind {
    case .instant: return ""
    case .local:
      return lateral("\(finite) AS t", "own") + readings(of: "own.t", "r")
        + lateral("r.early, r.late", "placed")
    case .date:
      // The day ends a microsecond before the next one begins.
      return lateral("(\(finite))::timestamp AS t, (\(finite) + 1)::timestamp AS next", "own")
        + readings(of: "own.t", "r") + readings(of: "own.next", "s")
        + lateral("r.early, s.late - interval '1 microsecond' AS late", "placed")
    }
  }

  /// The select list's cells, whose times travel in binary form, as microseconds: of an instant itself; of any other
  /// type whether there is a value at all, then the two instants that it may mean, NULL for an infinite one.
  var cells: [String] {
    type.kind == .instant ? [column] : ["(\(column) IS NOT NULL)", "placed.early", "placed.late"]
  }

  /// The earlier and the later reading of a local time. They differ where clocks were put back, and PostgreSQL alone
  /// would take the later one (its source, DetermineTimeZoneOffset); in the hour that clocks skipped, neither reading
  /// gives the local time back, and both count. The offsets a day before and a day after are those on either side.
  private func readings(of local: String, _ name: String) -> String {
    func offset(_ sign: String) -> String {
      let instant = "(\(name)0.t \(sign) interval '24 hours')"
      return "((\(instant) AT TIME ZONE \(zone)) - (\(instant) AT TIME ZONE 'UTC'))"
    }
    func chosen(_ both: String) -> String {
      "CASE WHEN \(name)2.a AND NOT \(name)2.b THEN \(name)1.a WHEN \(name)2.b AND NOT \(name)2.a THEN \(name)1.b"
        + " ELSE \(both)(\(name)1.a, \(name)1.b) END"
    }
    return lateral("\(local) AT TIME ZONE \(zone) AS t", "\(name)0")
      + lateral(
        "(\(local) - \(offset("-"))) AT TIME ZONE 'UTC' AS a, (\(local) - \(offset("+"))) AT TIME ZONE 'UTC' AS b",
        "\(name)1")
      + lateral(
        "(\(name)1.a AT TIME ZONE \(zone)) = \(local) AS a, (\(name)1.b AT TIME ZONE \(zone)) = \(local) AS b",
        "\(name)2")
      + lateral("\(chosen("least")) AS early, \(chosen("greatest")) AS late", name)
  }

  private func lateral(_ list: String, _ name: String) -> String {
    "\nCROSS JOIN LATERAL (SELECT \(list)) AS \(name)"
  }
}
