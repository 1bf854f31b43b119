/// Time by the host's clock, and its confirmation by others: nothing ends for good, and nothing is first sent, by an
/// unconfirmed clock.
///
/// Time is unconfirmed from each boot, and from each jump of the wall clock against the monotonic one, until the API's
/// clock agrees, a database's on another host where the API doesn't tell its time, or a person confirms it. A boot
/// without any other clock is believed. Each clock is kept as its time at the boot, which changes only by a jump or by
/// drift.
public struct TrustedTime: Sendable {
  /// The change between two readings above which it is a jump; one by less is drift, or NTP's doing, and is followed.
  public static let jumpMin = Duration.seconds(60)
  /// The most by which clocks that agree may differ.
  public static let agreement = Duration.seconds(120)

  /// The host's clocks, read together.
  public struct Reading: Hashable, Sendable {
    /// Its wall clock.
    public var host: Timestamp
    /// Time since it booted, suspended time included.
    public var uptime: Duration

    /// Makes a reading from its values.
    public init(host: Timestamp, uptime: Duration) { (self.host, self.uptime) = (host, uptime) }

    fileprivate var hostAtBoot: Timestamp { host - uptime }
  }

  /// The source that confirms the host's clock.
  public enum Witness: Hashable, Sendable {
    /// The API's Date.
    case api
    /// A database on another host.
    case database
    /// An operator.
    case person
    /// None: at a boot, with an API that sends no Date and a database that has the host's clock.
    case hostAlone
    /// The host's clock itself, back where it was confirmed in this boot.
    case itself
  }

  /// A change in how far the host's clock can be relied on.
  public enum Change: Hashable, Sendable {
    /// The host's clock was set by so much.
    case jumped(Duration)
    /// A clock that counts is so much ahead of the host's.
    case contradicted(Witness, ahead: Duration)
    /// The host's clock is right.
    case confirmed(Witness)
  }

  private enum DatabaseClock: Sendable {
    case unheard, host
    case another(atBoot: Timestamp)
  }

  private let bootID: String
  /// The host's clock at boot, by the last reading.
  private var shown: Timestamp
  /// The host's clock at boot, as it was last confirmed and has drifted since.
  private var confirmed: Timestamp?
  private var hasJumpedInBoot = false
  private var jump: Jump?
  private var database = DatabaseClock.unheard
  /// False once the API has answered without a Date; nil before its first answer.
  private var apiTells: Bool?
  /// The clock that contradicts the host's, and the time by which it is ahead.
  private var contradiction: (witness: Witness, ahead: Duration)?
  /// The number of jumps in this run: times that were taken before one mean something else.
  public private(set) var jumps = 0

  /// Begins with time by the host's clock, unconfirmed unless an earlier run in the same boot knew better.
  public init(_ reading: Reading, memory: Memory? = nil, bootID: String = "") {
    (self.bootID, shown, jump) = (bootID, reading.hostAtBoot, memory?.jump)
    guard let memory, memory.bootID == bootID else { return }
    (confirmed, hasJumpedInBoot) = (memory.bootedAt, memory.hasJumped ?? false)
    shown = memory.shown ?? memory.bootedAt ?? shown
  }

  /// The state that a later run goes on with.
  public var memory: Memory {
    Memory(bootID: bootID, bootedAt: confirmed, shown: shown, hasJumped: hasJumpedInBoot, jump: jump)
  }

  /// True if the host's clock counts as right.
  public var isConfirmed: Bool { confirmed == shown }

  /// The reason why it doesn't: the clock that contradicts it, or the jump; nil where no clock was heard since the
  /// boot.
  public var suspicion: Change? {
    if isConfirmed { return nil }
    if let contradiction { return .contradicted(contradiction.witness, ahead: contradiction.ahead) }
    return hasJumpedInBoot ? jump.map { .jumped($0.size) } : nil
  }

  /// Takes in the host's clocks; to be called before anything else is, and before each look at the time.
  public mutating func observe(_ reading: Reading) -> Change? {
    let (host, before, wasConfirmed) = (reading.hostAtBoot, shown, isConfirmed)
    shown = host
    let hasJumped = Self.apart(host, before) > Self.jumpMin
    if hasJumped {
      jump = Jump(at: reading.host, size: host - before, after: jump)
      (hasJumpedInBoot, contradiction) = (true, nil)
      jumps += 1
    }
    if let known = confirmed, Self.apart(host, known) <= Self.jumpMin {
      confirmed = host
      return wasConfirmed ? nil : confirm(.itself)
    }
    return hasJumped ? .jumped(host - before) : nil
  }

  /// Takes in the API's clock; nil for an answer without a Date.
  public mutating func heard(api time: Timestamp?, _ reading: Reading) -> Change? {
    apiTells = time != nil
    guard let time else { return judgeWithoutAPI() }
    return judge(time - reading.uptime, .api)
  }

  /// Takes in a database's clock; nil for one on this host, which has the host's.
  public mutating func heard(database time: Timestamp?, _ reading: Reading) -> Change? {
    database = time.map { .another(atBoot: $0 - reading.uptime) } ?? .host
    return judgeWithoutAPI()
  }

  /// Takes in that a person confirms the host's clock.
  ///
  /// - Returns: Nil where it was confirmed already.
  public mutating func confirmByPerson() -> Change? { isConfirmed ? nil : confirm(.person) }

  /// Judges by a database's clock, only where the API tells no time: the database may have its clock from this host
  /// without looking so, as in a container.
  private mutating func judgeWithoutAPI() -> Change? {
    guard apiTells == false, !isConfirmed else { return nil }
    switch database {
    case .unheard: return nil
    case .another(let atBoot): return judge(atBoot, .database)
    case .host: return hasJumpedInBoot || contradiction != nil ? nil : confirm(.hostAlone)
    }
  }

  private mutating func judge(_ atBoot: Timestamp, _ witness: Witness) -> Change? {
    if isConfirmed { return nil }
    if Self.apart(atBoot, shown) <= Self.agreement { return confirm(witness) }
    let ahead = atBoot - shown
    if let known = contradiction, known.witness == witness, (known.ahead - ahead).magnitude <= Self.jumpMin {
      return nil
    }
    contradiction = (witness, ahead)
    return .contradicted(witness, ahead: ahead)
  }

  private mutating func confirm(_ witness: Witness) -> Change {
    (confirmed, contradiction) = (shown, nil)
    return .confirmed(witness)
  }

  private static func apart(_ one: Timestamp, _ other: Timestamp) -> Duration { (one - other).magnitude }
}

extension TrustedTime {
  /// The last jump of the host's clock, with what those before it add to its doubt.
  public struct Jump: Hashable, Sendable, Codable {
    /// The time right after it, by the clock as it was set.
    public var at: Timestamp
    /// The time by which the clock was set ahead.
    public var size: Duration
    /// The time by which the clock was set ahead or back in all jumps together.
    public var sum: Duration

    init(at: Timestamp, size: Duration, after earlier: Jump?) {
      (self.at, self.size, sum) = (at, size, (earlier?.sum ?? .zero) + size.magnitude)
    }

    /// True if a time may have been taken before it.
    func isSince(_ time: Timestamp) -> Bool { time <= max(at, at - size) }
  }

  /// The state of time that a later run of the daemon goes on with.
  public struct Memory: Hashable, Sendable, Codable {
    /// The boot that the rest is about, but for the jump.
    public var bootID: String
    /// The host's clock at that boot, as it was confirmed; nil where it never was.
    public var bootedAt: Timestamp?
    /// The host's clock at that boot, by the last reading.
    public var shown: Timestamp?
    /// True if the clock has jumped in that boot.
    public var hasJumped: Bool?
    /// The last jump, in whichever boot.
    public var jump: Jump?
  }

  /// The time of the last jump, by the clock as it was set then: a time taken before it can't be subtracted from one
  /// after.
  public var jumpedAt: Timestamp? { jump?.at }

  /// Returns the time by which one that was taken then may differ from one by the clock of now. An unconfirmed clock
  /// tells nothing.
  public func uncertainty(since time: Timestamp) -> Duration {
    guard isConfirmed else { return .seconds(100 * 365 * 86_400) }
    return jump.map { $0.isSince(time) ? $0.sum : .zero } ?? .zero
  }
}

extension Duration {
  fileprivate var magnitude: Duration { max(self, .zero - self) }
}
