/// What time it is, where the host's clock may have been set: a jump of it counts only once another clock says the same.
///
/// Each clock is kept as what it showed when the host booted, which only changes when somebody sets it, or as it drifts.
/// Of the host's clock, the API's and the database's, two must agree. A database on the very host is no witness, and of one
/// that may have its clock from there what it shows only since the host's jump is no word of its own. Until two agree for
/// the first time, it is no later than the earliest of those that were heard, nor than what an earlier run knows for
/// certain: what ends by time ends too late then, and never too early.
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
    /// Another clock is so much ahead of the host's, and no third one says which is right: the earlier is followed.
    case contested(Duration)
    /// The host's clock shows the right time, or does so again.
    case settled
  }

  /// What a right clock showed at boot, for all we know.
  private var trusted: Timestamp
  private var api: Timestamp?
  private var database: Timestamp?
  /// What the host's clock, which isn't followed, showed at boot.
  private var doubted: Timestamp?
  /// Whether two clocks have ever agreed on what is trusted.
  public private(set) var isWitnessed = false
  /// What the earliest of the other clocks showed at boot, where none of them agrees with the host's.
  private var contested: Timestamp?
  /// What a right clock showed at boot at the earliest, until any other one is heard.
  private var earliest: Timestamp?
  private let bootID: String
  private let memory: WitnessedTime.Memory?
  /// By how much, and when, times that were taken before were found to be wrong; the last ones.
  public private(set) var corrections: [Correction]
  /// How often the time has jumped in this run.
  public private(set) var jumps = 0

  /// Begins with the host's clock, or with what an earlier run knew: in the same boot all of it still holds.
  public init(_ reading: Reading, memory: Memory? = nil, bootID: String = "") {
    (trusted, self.memory, self.bootID) = (reading.hostAtBoot, memory, bootID)
    corrections = memory?.corrections ?? []
    guard let bootedAt = memory?.bootedAt, let memory else { return }
    if memory.bootID == bootID, memory.uptime <= reading.uptime {
      (trusted, isWitnessed) = (bootedAt, true)
    } else {
      earliest = bootedAt + memory.uptime - reading.uptime
    }
  }

  /// What a later run is to know.
  public func memory(_ reading: Reading) -> Memory {
    var known = memory ?? Memory(bootID: bootID, uptime: reading.uptime)
    known.corrections = corrections
    guard isWitnessed else { return known }
    (known.bootID, known.uptime, known.bootedAt) = (bootID, reading.uptime, trusted)
    return known
  }

  /// What time it is.
  public mutating func now(_ reading: Reading) -> (now: Timestamp, change: Change?) {
    let change = judge(reading)
    return (held + reading.uptime, change)
  }

  /// Takes in what the API's clock shows; nil for an answer that doesn't tell.
  public mutating func heard(api time: Timestamp?, _ reading: Reading) -> Change? {
    if let time { api = time - reading.uptime }
    return judge(reading, hasHeard: true)
  }

  /// Takes in what the database's clock shows.
  public mutating func heard(database time: Timestamp, isOnHost: Bool = false, _ reading: Reading) -> Change? {
    if isOnHost { return judge(reading) }
    let (shown, host) = (time - reading.uptime, reading.hostAtBoot)
    let jumpedTogether = Self.apart(host, trusted) > Self.jumpMin && Self.apart(shown, host) <= Self.jumpMin
    if !jumpedTogether { database = shown }
    return judge(reading, hasHeard: true)
  }

  /// What is held to be right.
  private var held: Timestamp { min(trusted, contested ?? trusted, earliest ?? trusted) }

  private mutating func judge(_ reading: Reading, hasHeard: Bool = false) -> Change? {
    let (before, wasEarliest) = (held, earliest != nil)
    if hasHeard { earliest = nil }
    let change = judge(reading.hostAtBoot)
    let size = held - before
    guard max(size, .zero - size) > Self.jumpMin else { return change }
    jumps += 1
    // What an earlier run knew was no time that anything was taken by.
    if !wasEarliest {
      corrections.append(Correction(at: held + reading.uptime, size: size))
      corrections.removeFirst(max(0, corrections.count - Correction.countMax))
    }
    return change
  }

  private mutating func judge(_ host: Timestamp) -> Change? {
    let before = trusted
    let isDrift = Self.apart(host, before) <= Self.jumpMin
    if isDrift { trusted = host }
    if !isDrift, confirms(api, host) || confirms(database, host) {
      (trusted, doubted) = (host, nil)
      // That of the host's own clock as it was wrong, perhaps.
      if let shown = database, Self.apart(shown, host) > Self.agreement { database = nil }
      return agree() ? .settled : .followed(host - before)
    }
    if let api, let database, Self.apart(api, database) <= Self.jumpMin,
      min(Self.apart(api, trusted), Self.apart(database, trusted)) > Self.agreement
    {
      (trusted, doubted) = (api, host)
      _ = agree()
      return .outvoted(api - before)
    }
    if !isWitnessed, let change = contest() { return change }
    if isDrift {
      guard doubted != nil else { return nil }
      doubted = nil
      return .settled
    }
    let isKnown = doubted.map { Self.apart($0, host) <= Self.jumpMin } ?? false
    doubted = host
    return isKnown ? nil : .doubted(host - before)
  }

  /// Two agree; tells whether that was in question.
  private mutating func agree() -> Bool {
    defer { (isWitnessed, contested, earliest) = (true, nil, nil) }
    return contested != nil
  }

  /// Holds what nobody has confirmed yet against who was heard.
  private mutating func contest() -> Change? {
    let others = [api, database].compactMap(\.self)
    guard let other = others.min() else { return nil }
    if others.contains(where: { Self.apart($0, trusted) <= Self.agreement }) { return agree() ? .settled : nil }
    let isKnown = contested.map { Self.apart($0, other) <= Self.jumpMin } ?? false
    guard !isKnown else { return nil }
    contested = other
    return .contested(other - trusted)
  }

  /// Whether a witness says what the host's clock has come to, and not what was trusted so far.
  private func confirms(_ witness: Timestamp?, _ host: Timestamp) -> Bool {
    guard let witness else { return false }
    let apart = Self.apart(witness, host)
    return apart <= Self.agreement && apart < Self.apart(witness, trusted)
  }

  private static func apart(_ one: Timestamp, _ other: Timestamp) -> Duration { max(one, other) - min(one, other) }
}
