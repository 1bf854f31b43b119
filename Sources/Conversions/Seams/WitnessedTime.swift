/// What time it is, where the host's clock may have been set: a jump of it counts only once another clock says the same.
///
/// Each clock is kept as what it showed when the host booted, which only changes when somebody sets it, or as it drifts.
/// Of the host's clock, the API's and the database's, two must agree. A database may have its clock from the very host:
/// what it shows only since the host's jump is no word of its own.
public struct WitnessedTime: Sendable {
  /// What changes by more at once was set; by less, NTP's doing or a person's, it is followed.
  public static let jumpMin = Duration.seconds(60)
  /// Two clocks that differ by no more than this agree about a jump.
  public static let agreement = Duration.seconds(120)

  /// The host's clocks, read together.
  public struct Reading: Hashable, Sendable {
    /// Its wall clock.
    public var host: Timestamp
    /// Time since it booted, suspended time included.
    public var uptime: Duration

    /// A reading from its values.
    public init(host: Timestamp, uptime: Duration) {
      (self.host, self.uptime) = (host, uptime)
    }

    fileprivate var hostAtBoot: Timestamp { host - uptime }
  }

  /// What became of the time.
  public enum Change: Hashable, Sendable {
    /// The host's clock was set, or is wrong, by so much, and nobody confirms it: time goes on as it did.
    case doubted(Duration)
    /// The host's clock was set by so much, and another one confirms it: it is followed.
    case followed(Duration)
    /// API and database agree that it is so much later than it was thought to be: time is theirs, whatever the host's
    /// clock shows.
    case outvoted(Duration)
    /// The host's clock shows the right time again.
    case settled

    /// By how much times that were taken before are wrong; nil where they aren't.
    public var correction: Duration? {
      switch self {
      case .followed(let size), .outvoted(let size): size
      case .doubted, .settled: nil
      }
    }
  }

  /// What a right clock showed at boot, for all we know.
  private var trusted: Timestamp
  private var api: Timestamp?
  private var database: Timestamp?
  /// What the host's clock, which isn't followed, showed at boot.
  private var doubted: Timestamp?

  /// Begins with the host's clock: there is no other one yet.
  public init(_ reading: Reading) { trusted = reading.hostAtBoot }

  /// What time it is.
  public mutating func now(_ reading: Reading) -> (now: Timestamp, change: Change?) {
    let change = judge(reading.hostAtBoot)
    return (trusted + reading.uptime, change)
  }

  /// Takes in what the API's clock shows.
  public mutating func heard(api time: Timestamp, _ reading: Reading) -> Change? {
    api = time - reading.uptime
    return judge(reading.hostAtBoot)
  }

  /// Takes in what the database's clock shows.
  public mutating func heard(database time: Timestamp, _ reading: Reading) -> Change? {
    let (shown, host) = (time - reading.uptime, reading.hostAtBoot)
    let jumpedTogether = Self.apart(host, trusted) > Self.jumpMin && Self.apart(shown, host) <= Self.jumpMin
    if !jumpedTogether { database = shown }
    return judge(host)
  }

  private mutating func judge(_ host: Timestamp) -> Change? {
    let before = trusted
    let isDrift = Self.apart(host, before) <= Self.jumpMin
    if isDrift { trusted = host }
    if !isDrift, confirms(api, host) || confirms(database, host) {
      (trusted, doubted) = (host, nil)
      // That of the host's own clock as it was wrong, perhaps.
      if let shown = database, Self.apart(shown, host) > Self.agreement { database = nil }
      return .followed(host - before)
    }
    if let api, let database, Self.apart(api, database) <= Self.jumpMin,
      min(Self.apart(api, trusted), Self.apart(database, trusted)) > Self.agreement
    {
      (trusted, doubted) = (api, host)
      return .outvoted(api - before)
    }
    if isDrift {
      guard doubted != nil else { return nil }
      doubted = nil
      return .settled
    }
    let isKnown = doubted.map { Self.apart($0, host) <= Self.jumpMin } ?? false
    doubted = host
    return isKnown ? nil : .doubted(host - before)
  }

  /// Whether a witness says what the host's clock has come to, and not what was trusted so far.
  private func confirms(_ witness: Timestamp?, _ host: Timestamp) -> Bool {
    guard let witness else { return false }
    let apart = Self.apart(witness, host)
    return apart <= Self.agreement && apart < Self.apart(witness, trusted)
  }

  private static func apart(_ one: Timestamp, _ other: Timestamp) -> Duration { max(one, other) - min(one, other) }
}
