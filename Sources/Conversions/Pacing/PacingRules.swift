/// The arithmetic of one limit: how far apart sends must be so that no limiter of that many a minute refuses one.
///
/// How the API counts is unknown (API reference, Rate limits, gives the numbers alone). Simulated against a fixed window,
/// a sliding log, a 30-token bucket, a sliding counter and a 1-token bucket: the first gear is refused by none of the
/// first three, the safe gear by none at all.
public struct PacingRules: Hashable, Sendable {
  /// The length of the API's window.
  public static let window = Duration.seconds(60)
  /// What a 429 without any word about the wait is taken to ask for: a whole window.
  public static let retryAfterDefault = Duration.seconds(60)
  /// The longest wait that is believed: a day.
  public static let retryAfterMax = Duration.seconds(86_400)
  /// What a wait counts as that is longer than that, negative, or can't be read: whoever wrote it wants none of us now, and
  /// meant no year.
  public static let retryAfterUnbelieved = Duration.seconds(3600)
  /// Added to every Retry-After, which whole seconds round and networks shift.
  public static let retryAfterMargin = Duration.seconds(1)
  /// By how much a further 429 in the safe gear widens its spacing: other programs share the address.
  public static let wideningStep = 1.25
  /// The widest: an eightieth of the limit, where whatever is sent has a chance of one in four to be refused, as beside a
  /// neighbour at a bucket of one. Ten refusals an hour are some forty sends then, whoever spaces them.
  public static let wideningMax = 80.0
  /// By how much the spacing narrows again in each second of sending, a step in some nine minutes. By the clock, not by
  /// answers: so a neighbour who stays costs six or seven refusals an hour, however little of the limit is left, and one
  /// who went is forgotten within the hour.
  public static let narrowingPerSecond = 0.0004
  /// The longest pause between two answers that narrows anything: one who didn't send has learnt nothing.
  public static let narrowingPauseMax = Duration.seconds(60)
  /// How long a send of a process that is gone still counts as in flight: its request may be on its way to the API, and
  /// must not be counted there after what is sent next.
  public static let orphanedFor = Duration.seconds(5)
  /// The most sends that are ever in flight.
  public static let inFlightMax = 16
  /// The most that are under way where no limit is configured: those in flight, and those made ready to follow them.
  public static let preparedMax = 48 * inFlightMax
  /// The most sends that are remembered, and up to which a window is counted exactly; above 600 a minute the spacing
  /// alone keeps the limit.
  public static let historyMax = 600

  /// How long a refusal is waited out, by what it asks for; nil where it says nothing.
  public static func wait(asked: Duration?) -> Duration {
    guard let asked else { return retryAfterDefault + retryAfterMargin }
    return ((.zero...retryAfterMax).contains(asked) ? asked : retryAfterUnbelieved) + retryAfterMargin
  }

  /// The limit.
  public var limit: RateLimit

  /// The rules of a limit. Fewer than one a minute counts as one.
  public init(_ limit: RateLimit) { self.limit = limit }

  /// How many may be sent in any minute, nil for no limit.
  var perMinute: Int? { limit.perMinute.map { max(1, $0) } }

  /// The first gear: how long after the last send the next may leave. 4 % more than a limit's even share, which
  /// what the network adds and takes away between two sends eats up.
  func spacingAfterSend(_ perMinute: Int) -> Duration { .microseconds(62_400_000 / perMinute) }

  /// The safe gear: how long after the last answer the next may leave. Since the API counts a request somewhere between
  /// its send and its answer, two are then never counted closer than a limit's even share.
  func spacingAfterAnswer(_ perMinute: Int, widening: Double) -> Duration {
    .microseconds(Int64((60_000_000 / Double(perMinute) * widening).rounded(.up)))
  }

  /// How many sends may be in flight in the first gear: two up to the API's own 30 a minute; with a higher limit as many
  /// as it takes to keep the rate at this latency, and one more.
  func inFlightMax(latency: Duration) -> Int {
    guard let perMinute else { return Self.inFlightMax }
    guard perMinute > 30 else { return 2 }
    let needed = (Double(perMinute) / 60 * latency.inSeconds).rounded(.up) + 1
    return min(Self.inFlightMax, max(2, Int(min(needed, 1000))))
  }
}
