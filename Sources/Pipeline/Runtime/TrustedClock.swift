public import Conversions
public import Logging
import Synchronization

/// The host's clocks, with a judgement of whether the wall clock is right (`TrustedTime`): time goes on by it in any
/// case, and what can't be taken back waits while it is unconfirmed.
public final class TrustedClock: HostClock {
  /// The longest answer of the database that is used: one that took longer says too little about its time.
  private static let answerMax = Duration.seconds(10)
  /// The longest time between two readings that belong together: if it is more, the host slept between them.
  private static let readingMax = Duration.seconds(1)

  /// The reason of a clock that is unconfirmed as no other one was heard yet: the API's first answer is one.
  public static let unheard = "no other clock was heard since the host booted"

  private struct State {
    var time: TrustedTime
    /// True while the log says that time is unconfirmed.
    var isToldUnconfirmed = false
  }

  private let base: any HostClock
  private let log: Logger
  private let onChange: @Sendable () -> Void
  private let state: Mutex<State>

  /// A clock upon the host's own, unconfirmed at first.
  ///
  /// - Parameters:
  ///   - base: The host's clocks.
  ///   - log: The log that is told of jumps, and of their end.
  ///   - onChange: Called when `now` has jumped, or is confirmed: what waits for a time of day must look again.
  public init(_ base: any HostClock, log: Logger, onChange: @escaping @Sendable () -> Void = {}) {
    (self.base, self.log, self.onChange) = (base, log, onChange)
    state = Mutex(State(time: TrustedTime(Self.read(base), bootID: base.bootID)))
  }

  /// The host's wall clock.
  public var now: Timestamp {
    let reading = Self.read(base)
    follow(reading) { _ in nil }
    return reading.host
  }

  /// The host's uptime.
  public var uptime: Duration { base.uptime }

  /// Sleeps by the host's clock.
  public func sleep(until deadline: Duration) async throws {
    try await LoopProgress.rest { try await base.sleep(until: deadline) }
  }

  /// The host's boot ID.
  public var bootID: String { base.bootID }

  /// The number of the wall clock's jumps in this run: times that were taken before one mean something else.
  public var jumps: Int { looked.jumps }

  /// True while the wall clock is confirmed: else nothing ends for good by it, and no order is sent for the first time.
  public var isConfirmed: Bool { looked.isConfirmed }

  /// The reason why it isn't, in words; nil where it is.
  public var unconfirmedReason: String? {
    let time = looked
    guard !time.isConfirmed else { return nil }
    switch time.suspicion {
    case .jumped(let size)?: return "the host's clock was set \(Self.words(size)), and no other clock confirms it"
    case .contradicted(let witness, let ahead)?: return "\(Self.name(witness)) is \(Self.words(ahead)) of the host's"
    case .confirmed?, nil: return Self.unheard
    }
  }

  /// The time right after the wall clock's last jump, by itself; nil for none.
  var jumpedAt: Timestamp? { looked.jumpedAt }

  /// Returns by how much a time that was taken then may differ from one of now.
  func uncertainty(since time: Timestamp) -> Duration { looked.uncertainty(since: time) }

  /// The state that a later run goes on with; see `resume`.
  public var memory: TrustedTime.Memory { looked.memory }

  /// Goes on with the state of an earlier run, from a ledger; to be called before the loops start.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  public func resume(from ledger: any LedgerStore) async throws {
    guard let memory = try await ledger.transaction({ try $0.clockMemory() }) else { return }
    let reading = Self.read(base)
    state.withLock { $0.time = TrustedTime(reading, memory: memory, bootID: base.bootID) }
    follow(reading) { _ in nil }
  }

  /// Takes an operator's word that the host's clock is right.
  ///
  /// - Parameter name: The operator, for the log.
  /// - Returns: True if it was unconfirmed.
  @discardableResult public func confirmByOperator(_ name: String? = nil) -> Bool {
    let wasConfirmed = isConfirmed
    follow(Self.read(base), by: name) { $0.confirmByPerson() }
    return !wasConfirmed
  }

  /// Takes in the API's time by an answer that has just ended.
  func heard(_ head: AnswerHead) {
    let reading = Self.read(base)
    if let time = head.timeAtEnd {
      follow(reading) { $0.heard(api: time, reading) }
    } else if head.date == nil, (200..<300).contains(head.status) {
      // A proxy's page without a Date says nothing of the API.
      follow(reading) { $0.heard(api: nil, reading) }
    }
  }

  /// Takes in the database's time by a snapshot.
  ///
  /// - Parameters:
  ///   - moment: The snapshot's moment.
  ///   - asked: The uptime at which it was asked for; the answer has just ended.
  func heard(_ moment: SnapshotMoment, askedAt asked: Duration) {
    let reading = Self.read(base)
    let took = reading.uptime - asked
    guard took <= Self.answerMax else { return }
    follow(reading) { $0.heard(database: moment.isOnHost ? nil : moment.readAt + took / 2, reading) }
  }

  /// The state after a look at the host's clocks.
  private var looked: TrustedTime {
    follow(Self.read(base)) { _ in nil }
    return state.withLock { $0.time }
  }

  private func follow(
    _ reading: TrustedTime.Reading, by name: String? = nil, _ word: (inout TrustedTime) -> TrustedTime.Change?
  ) {
    let changes = state.withLock { state -> [(change: TrustedTime.Change, isNews: Bool)] in
      [state.time.observe(reading), word(&state.time)].compactMap(\.self).map { change in
        let isNews: Bool
        switch change {
        case .jumped: (isNews, state.isToldUnconfirmed) = (true, true)
        case .contradicted: (isNews, state.isToldUnconfirmed) = (!state.isToldUnconfirmed, true)
        // Logs no boot that a witness confirms at once.
        case .confirmed(let witness):
          isNews = state.isToldUnconfirmed || witness == .person || witness == .hostAlone
          state.isToldUnconfirmed = false
        }
        return (change, isNews)
      }
    }
    guard !changes.isEmpty else { return }
    for (change, isNews) in changes where isNews { logChange(change, by: name) }
    onChange()
  }

  private static func read(_ base: any HostClock) -> TrustedTime.Reading {
    while true {
      let (before, host, after) = (base.uptime, base.now, base.uptime)
      if after - before <= readingMax { return TrustedTime.Reading(host: host, uptime: after) }
    }
  }

  private static let waits =
    "until another clock agrees with it, or `conversiond resume --clock` accepts it, no hold ends, nothing is given up or "
    + "removed, and no order is sent for the first time"

  private func logChange(_ change: TrustedTime.Change, by name: String?) {
    switch change {
    case .jumped(let size):
      log.event(.clockUnconfirmed, .error, "the host's clock was set \(Self.words(size)): \(Self.waits)")
    case .contradicted(let witness, let ahead):
      log.event(
        .clockUnconfirmed, .error,
        "\(Self.name(witness)) is \(Self.words(ahead)) of the host's: set the host's clock right; \(Self.waits)")
    case .confirmed(.hostAlone):
      log.event(
        .clockConfirmed, .warning,
        "no other clock can be asked, as the API sends no Date and the database is on this host: the host's is believed"
      )
    case .confirmed(.person):
      log.event(.clockConfirmed, .notice, "the host's clock is accepted by an operator (\(name ?? "not named"))")
    case .confirmed(.itself): log.event(.clockConfirmed, .notice, "the host's clock is back where it was confirmed")
    case .confirmed(let witness):
      log.event(.clockConfirmed, .notice, "\(Self.name(witness)) agrees with the host's")
    }
  }

  private static func name(_ witness: TrustedTime.Witness) -> String {
    witness == .database ? "the database's clock" : "the API's clock"
  }

  private static func words(_ size: Duration) -> String {
    "\((max(size, .zero - size) + .milliseconds(500)).components.seconds) s \(size < .zero ? "behind" : "ahead")"
  }
}
