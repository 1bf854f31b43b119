/// The arithmetic of one limit: how far apart sends must be so that no limiter of that many a minute refuses one.
///
/// The reference doesn't tell how the API counts (API reference, Rate limits, gives the numbers alone). Simulated
/// against a fixed window, a sliding log, a 30-token bucket, a sliding counter and a 1-token bucket: the first gear is
/// refused by none of the first three, the safe gear by none at all.
public struct PacingRules: Hashable, Sendable {
  /// The length of the API's window.
  public static let window = Duration.seconds(60)
  /// The wait that a 429 without any word about it is taken to ask for: a whole window.
  public static let retryAfterDefault = Duration.seconds(60)
  /// The longest wait that is believed: a day.
  public static let retryAfterMax = Duration.seconds(86_400)
  /// The wait that is taken for one that is longer than that, negative, or can't be read: an API that sends it wants no
  /// request now, and means no year.
  public static let retryAfterUnbelieved = Duration.seconds(3600)
  /// The time added to every Retry-After, which is rounded to whole seconds and shifted by networks.
  public static let retryAfterMargin = Duration.seconds(1)
  /// The factor by which a further 429 in the safe gear widens its spacing: other programs share the address.
  public static let wideningStep = 1.25
  /// The widest: an eightieth of the limit, where whatever is sent has a chance of one in four to be refused, as beside
  /// another program at a bucket of one. Ten refusals an hour are some forty sends then, by whatever spacing.
  public static let wideningMax = 80.0
  /// The part by which the spacing narrows again in each second of sending, a step in some nine minutes. By the clock,
  /// not by answers: so another program that stays costs six or seven refusals an hour, however little of the limit is
  /// left, and one that ended is forgotten within the hour.
  public static let narrowingPerSecond = 0.0004
  /// The longest pause between two answers that narrows anything: without sends nothing is learnt.
  public static let narrowingPauseMax = Duration.seconds(60)
  /// The time for which a send of a process that is gone still counts as under way: its request may be on its way to
  /// the API, and must not be counted there after what is sent next.
  public static let orphanedFor = Duration.seconds(5)
  /// The most sends that are ever under way.
  public static let inFlightMax = 16

  /// Returns the time for which a refusal is waited out, by the wait that it asks for, if any.
  public static func wait(asked: Duration?) -> Duration {
    guard let asked else { return retryAfterDefault + retryAfterMargin }
    return ((.zero...retryAfterMax).contains(asked) ? asked : retryAfterUnbelieved) + retryAfterMargin
  }

  /// The limit.
  public var limit: RateLimit

  /// Makes the rules of a limit. Fewer than one a minute counts as one.
  public init(_ limit: RateLimit) { self.limit = limit }

  /// The number that may be sent in any minute; nil for no limit.
  var perMinute: Int? { limit.perMinute.map { max(1, $0) } }

  /// Returns the time from the last send to the next in the first gear. It is 4 % more than a limit's even share, for
  /// what the network adds and takes away between two sends.
  func spacingAfterSend(_ perMinute: Int) -> Duration { .microseconds(62_400_000 / perMinute) }

  /// Returns the time from the last answer to the next send in the safe gear. Since the API counts a request somewhere
  /// between its send and its answer, two are then never counted closer than a limit's even share.
  func spacingAfterAnswer(_ perMinute: Int, widening: Double) -> Duration {
    .microseconds(Int64((60_000_000 / Double(perMinute) * widening).rounded(.up)))
  }

  /// Returns the most sends that may be under way in the first gear: two up to the API's own 30 a minute; with a higher
  /// limit as many as it takes to keep the rate at this latency, and one more.
  func inFlightMax(latency: Duration) -> Int {
    guard let perMinute else { return Self.inFlightMax }
    guard perMinute > 30 else { return 2 }
    let needed = (Double(perMinute) / 60 * latency.inSeconds).rounded(.up) + 1
    return max(2, Int(min(needed, Double(Self.inFlightMax))))
  }
}
