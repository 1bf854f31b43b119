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

  private var newest: Timestamp?
  private var lags: [Duration] = []

  /// Begins without orders.
  public init() {}

  /// Returns the time from an order's placing to a reading; negative for one placed after it.
  public static func lag(of placed: PlacedAt, at now: Timestamp) -> Duration {
    if now < placed.earliest { return now - placed.earliest }
    return now > placed.latest ? now - placed.latest : .zero
  }

  /// Takes in what one read brought: an order later than all before it was written since the last read.
  ///
  /// - Parameters:
  ///   - orders: The rows that were read.
  ///   - readAt: The database's clock.
  ///   - isWalk: True if old orders may be among them, so that they tell nothing but which is the newest.
  public mutating func observe(_ orders: [SeenOrder], readAt: Timestamp, isWalk: Bool) {
    let placed = orders.compactMap { seen -> PlacedAt? in
      if case .readable(let order) = seen.row { order.placedAt } else { nil }
    }
    guard let last = placed.max(by: { $0.earliest < $1.earliest }) else { return }
    guard let newest else {
      self.newest = last.earliest
      return
    }
    guard last.earliest > newest else { return }
    self.newest = last.earliest
    if !isWalk { lags = lags.suffix(Self.agreeing - 1) + [Self.lag(of: last, at: readAt)] }
  }

  /// The offset of the orders, in whole quarters of an hour: negative for those in the future; nil without a doubt.
  public var offset: Duration? {
    guard lags.count == Self.agreeing, let least = lags.min(), let most = lags.max(), most - least <= Self.spreadMax,
      most < .zero - Self.leadMin || least > Self.lagMin
    else { return nil }
    return Self.quarters(lags[lags.count / 2])
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
  public func warning(at now: Timestamp) -> String? {
    offset.map { offset in
      let place = offset < .zero ? "\(Self.words(offset)) in the future" : "\(Self.words(offset)) in the past"
      return "orders that were just written are read as placed \(place) (\(now.utcDay)): orders.time_zone is not the "
        + "zone of placed_at; see conversiond check, which names it"
    }
  }
}
