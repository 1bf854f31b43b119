/// The doubt whether `placed_at` is read in the right time zone: if not, an order that was just written lies in the
/// future, or hours in the past, and so does the next one.
public struct ZoneDoubt: Hashable, Sendable {
  /// The most by which an order may be placed before it is written, and by which its clock may be ahead.
  private static let lagMin = Duration.seconds(25 * 60)
  private static let leadMin = Duration.seconds(10 * 60)
  /// The number of orders that must agree.
  private static let agreeing = 3
  /// The most by which they may differ: a zone is whole quarters of an hour away.
  private static let spreadMax = Duration.seconds(20 * 60)
  /// The most that a zone is away from UTC: rows that come later than that are no matter of a zone.
  private static let offsetMax = Duration.seconds(14 * 3600)

  private var newest: Timestamp?
  private var lags: [Duration] = []

  /// Begins without orders.
  public init() {}

  /// Returns the time from an order's placing to a reading; negative for one placed after it.
  public static func lag(of placed: PlacedAt, at now: Timestamp) -> Duration {
    if now < placed.earliest { return now - placed.earliest }
    return now > placed.latest ? now - placed.latest : .zero
  }

  /// Takes in what one read brought: an order later than all before was written since the last read.
  ///
  /// - Parameters:
  ///   - orders: The rows that were read.
  ///   - passedOver: The latest time of the rows that were read and lie before the start of the orders.
  ///   - readAt: The database's clock.
  ///   - isWalk: True if old orders may be among them, so that they tell nothing but which is the newest.
  public mutating func observe(
    _ orders: [SeenOrder], passedOver: PlacedAt? = nil, readAt: Timestamp, isWalk: Bool
  ) {
    let taken = orders.compactMap { seen -> PlacedAt? in
      if case .readable(let order) = seen.row { order.placedAt } else { nil }
    }
    let placed = (taken + [passedOver].compactMap(\.self)).sorted { $0.earliest < $1.earliest }
    guard let last = placed.last else { return }
    guard let newest else {
      self.newest = last.earliest
      return
    }
    guard last.earliest > newest else { return }
    self.newest = last.earliest
    guard !isWalk else { return }
    let fresh = placed.filter { $0.earliest > newest }.map { Self.lag(of: $0, at: readAt) }
    // Takes orders that are seen at once for one, unless all agree: an import's are of many ages.
    lags = Array((lags + (Self.agree(fresh) ? fresh : Array(fresh.suffix(1)))).suffix(Self.agreeing))
  }

  private static func agree(_ lags: [Duration]) -> Bool {
    guard let least = lags.min(), let most = lags.max() else { return false }
    return most - least <= spreadMax
  }

  /// The offset of the orders, in whole quarters of an hour: negative for those in the future; nil without a doubt.
  public var offset: Duration? {
    guard lags.count == Self.agreeing, Self.agree(lags), let least = lags.min(), let most = lags.max(),
      most < .zero - Self.leadMin || least > Self.lagMin
    else { return nil }
    let offset = Self.quarters(lags[lags.count / 2])
    return offset >= .zero - Self.offsetMax && offset <= Self.offsetMax ? offset : nil
  }

  /// Returns a duration in whole quarters of an hour.
  public static func quarters(_ lag: Duration) -> Duration {
    .seconds(Int64((lag.inSeconds / 900).rounded()) * 900)
  }

  /// Returns an offset in words, such as `5 h` or `5 h 30 min`.
  public static func words(_ offset: Duration) -> String {
    let minutes = Int(abs(offset.inSeconds) / 60)
    return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
  }

  /// Returns the warning for an operator; the same words for a day.
  ///
  /// - Parameters:
  ///   - now: The database's clock.
  ///   - isLocal: True if `placed_at` has no time zone of its own.
  ///   - start: The time before which orders take no part.
  /// - Returns: The warning; nil without a doubt.
  public func warning(at now: Timestamp, isLocal: Bool, start: Timestamp?) -> String? {
    guard let offset else { return nil }
    let words = Self.words(offset)
    let isPassedOver = newest.flatMap { newest in start.map { newest < $0 } } ?? false
    return "orders that were just written are \(isLocal ? "read as placed" : "placed") \(words) in the "
      + "\(offset < .zero ? "future" : "past") (\(now.utcDay))\(isPassedOver ? ", before orders.start: none takes part" : ""): "
      + (isLocal ? Self.zoneAdvice(words) : Self.conversionAdvice)
  }

  private static func zoneAdvice(_ words: String) -> String {
    "orders.time_zone is \(words) off the zone of placed_at; `conversiond check` names that zone once it has seen enough "
      + "orders"
  }

  private static let conversionAdvice =
    "does the shop write local time into placed_at, which has a zone? Then convert it there, such as placed_at: "
    + "(placed_at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin'. If orders come that late from elsewhere, it is right"
}
