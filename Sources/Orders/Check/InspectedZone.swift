import Conversions
import Postgres

extension ShopInspection {
  /// The least lag that is no delay of writing, and the least lead that is no difference of clocks.
  private static let (lagMin, leadMin) = (Duration.seconds(25 * 60), Duration.seconds(10 * 60))
  /// The most that a zone is away from UTC.
  private static let offsetMax = Duration.seconds(14 * 3600)
  /// The number of orders whose distances in time tell how often one comes.
  private static let rhythm = 50

  /// Compares the newest orders with the database's clock. If `placed_at` has a zone of its own, only the future is
  /// doubted: a night without orders is not.
  func zone(_ newest: NewestOrders, _ transaction: PostgresTransaction) throws -> [ShopFinding] {
    guard let lag = doubtful(newest), newest.needsTimeZone || lag < .zero else { return [] }
    let offset = ZoneDoubt.quarters(lag)
    let orders = newest.seen.compactMap(\.order)
    let ahead = orders.count { ZoneDoubt.lag(of: $0.placedAt, at: newest.readAt) < .zero - Self.leadMin }
    let words =
      offset < .zero
      ? "\(ahead) of the newest \(orders.count) orders lie in the future, by up to \(ZoneDoubt.words(offset))"
      : "the newest order is \(ZoneDoubt.words(offset)) old, although they come more often than that"
    let zone = try suggestion(offset, from: newest.needsTimeZone ? mapping.timeZone : "UTC", transaction)
    guard newest.needsTimeZone else {
      let name = zone ?? "Europe/Berlin"
      return [
        ShopFinding(
          .warn, "orders.columns.placed_at", "\(words): does the shop write local time into it?",
          advice: "write placed_at: (\(mapping.columns.placedAt) AT TIME ZONE 'UTC') AT TIME ZONE '\(name)', or "
            + "whatever the shop's zone is")
      ]
    }
    return [
      ShopFinding(
        .warn, "orders.time_zone", "\(words): is placed_at local time of another zone than \(mapping.timeZone)?",
        advice: zone.map { "write time_zone: \($0), or whatever the shop's zone is" }
          ?? "write the zone in which the shop writes its times")
    ]
  }

  /// The lag of the newest order where it contradicts the zone: a lead of more than a clock's, or a lag that is
  /// three times the longest distance of orders before it.
  private func doubtful(_ newest: NewestOrders) -> Duration? {
    let placed = newest.seen.compactMap { $0.order?.placedAt }
    guard let last = placed.first else { return nil }
    let lag = ZoneDoubt.lag(of: last, at: newest.readAt)
    if lag < .zero - Self.leadMin { return lag }
    guard lag > Self.lagMin, lag < Self.offsetMax, placed.count >= Self.rhythm else { return nil }
    let recent = placed.prefix(Self.rhythm)
    let longest = zip(recent, recent.dropFirst()).map { $0.earliest - $1.earliest }.max() ?? lag
    return lag > longest * 3 ? lag : nil
  }

  /// A zone whose clocks show now what the newest orders show: the server's own if it fits.
  private func suggestion(
    _ offset: Duration, from read: String, _ transaction: PostgresTransaction
  ) throws -> String? {
    let names = Self.zones.map { "'\($0)'" }.joined(separator: ", ")
    let found = try transaction.attempt {
      try transaction.query(
        """
        SELECT z.name FROM unnest(ARRAY[(SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'), \(names)])
          WITH ORDINALITY AS z(name, place)
        WHERE abs(extract(epoch FROM (now() AT TIME ZONE z.name) - (now() AT TIME ZONE $1::text)) + $2::int8) < 450
        ORDER BY z.place LIMIT 1
        """, [PostgresParameter(read), PostgresParameter(Int64(offset.inSeconds))])
    }
    guard case .success(let rows) = found, rows.count == 1 else { return nil }
    return try rows.text(0, 0)
  }

  private static let zones = [
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai", "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland",
    "Atlantic/Azores", "America/Sao_Paulo", "America/Halifax", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu",
  ]
}
