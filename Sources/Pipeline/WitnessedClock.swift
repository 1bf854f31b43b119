public import Conversions
public import Logging
import Synchronization

/// The host's clocks, whose wall clock is followed over a jump only once the API's or the database's says the same
/// (`WitnessedTime`): no hold and no window ends, and no due time moves away, as somebody set a clock.
public final class WitnessedClock: HostClock {
  /// A word of the database's that took longer says too little about when it was said.
  private static let answerMax = Duration.seconds(10)
  /// Readings between which the host slept don't belong together.
  private static let readingMax = Duration.seconds(1)

  private let base: any HostClock
  private let log: Logger
  private let onCorrection: @Sendable () -> Void
  private let time: Mutex<WitnessedTime>

  /// A clock upon the host's own, in which time is at first.
  ///
  /// - Parameters:
  ///   - base: The host's clocks.
  ///   - log: Where jumps are told, each once.
  ///   - onCorrection: Called when `now` has jumped after all: whoever waits for a time of day must look again.
  public init(_ base: any HostClock, log: Logger, onCorrection: @escaping @Sendable () -> Void = {}) {
    (self.base, self.log, self.onCorrection) = (base, log, onCorrection)
    time = Mutex(WitnessedTime(Self.read(base), bootID: base.bootID))
  }

  /// Wall-clock time, by two of three clocks.
  public var now: Timestamp {
    follow { time, reading in time.now(reading) }
  }

  /// As of the host.
  public var uptime: Duration { base.uptime }

  /// As of the host.
  public func sleep(until deadline: Duration) async throws { try await base.sleep(until: deadline) }

  /// How often `now` has jumped: times that were taken before another count mean something else.
  public var corrections: Int { time.withLock { $0.jumps } }

  /// As of the host.
  public var bootID: String { base.bootID }

  /// Whether two clocks have ever agreed on the time: what ends for good by it waits for that.
  var isWitnessed: Bool {
    // The host's clock may have been set right since it was last looked at.
    _ = now
    return time.withLock { $0.isWitnessed }
  }

  /// What a later run is to know; see `resume`.
  var memory: WitnessedTime.Memory { time.withLock { $0.memory(Self.read(base)) } }

  /// Goes on with what an earlier run knew, from a ledger; to be called before the loops start.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  public func resume(from ledger: any LedgerStore) async throws {
    guard let memory = try await ledger.transaction({ try $0.clockMemory() }) else { return }
    time.withLock { $0 = WitnessedTime(Self.read(base), memory: memory, bootID: base.bootID) }
    let behind = base.now - now
    guard memory.bootID != base.bootID, behind > WitnessedTime.jumpMin else { return }
    log.event(
      .clockJumped, .notice,
      "until another clock confirms the host's, time goes on from where it was last certain: \(Self.words(.zero - behind)) "
        + "of the host's")
  }

  /// By how much a time that was taken then may be wrong by the clock of now.
  func doubt(since time: Timestamp) -> Duration { self.time.withLock { $0.doubt(since: time) } }

  /// By how much what has passed since a time may look longer than it was.
  func excess(since time: Timestamp) -> Duration { self.time.withLock { $0.excess(since: time) } }

  /// Takes in what an answer of the API, which has just ended, tells of the API's clock.
  func heard(_ head: AnswerHead) {
    // One that was long under way tells nothing; one without a Date, that there is nothing to be told.
    guard head.timeAtEnd != nil || head.date == nil else { return }
    follow { ((), $0.heard(api: head.timeAtEnd, $1)) }
  }

  /// Takes in what a snapshot tells of the database's clock.
  ///
  /// - Parameters:
  ///   - moment: The snapshot's.
  ///   - asked: The uptime at which it was asked for; the answer has just ended.
  func heard(_ moment: SnapshotMoment, askedAt asked: Duration) {
    let took = base.uptime - asked
    guard took <= Self.answerMax else { return }
    follow { ((), $0.heard(database: moment.readAt + took / 2, isOnHost: moment.isOnHost, $1)) }
  }

  private func follow<Result>(
    _ word: (inout WitnessedTime, WitnessedTime.Reading) -> (Result, WitnessedTime.Change?)
  ) -> Result {
    let reading = Self.read(base)
    let (result, change, hasJumped) = time.withLock { time in
      let jumps = time.jumps
      let (result, change) = word(&time, reading)
      return (result, change, time.jumps != jumps)
    }
    if let change { tell(change) }
    if hasJumped { onCorrection() }
    return result
  }

  private static func read(_ base: any HostClock) -> WitnessedTime.Reading {
    while true {
      let (before, host, after) = (base.uptime, base.now, base.uptime)
      if after - before <= readingMax { return WitnessedTime.Reading(host: host, uptime: after) }
    }
  }

  private func tell(_ change: WitnessedTime.Change) {
    switch change {
    case .doubted(let size):
      log.event(
        .clockJumped, .warning,
        "the host's clock was set \(Self.words(size)); neither the API's clock nor the database's confirms that, so it "
          + "is not followed")
    case .followed(let size):
      log.event(
        .clockJumped, .warning,
        "the host's clock was set \(Self.words(size)); another clock confirms that, so it is followed")
    case .outvoted(let size):
      log.event(
        .clockJumped, .warning,
        "the API's clock and the database's agree that the time is \(Self.words(size)) of what it was held to be: "
          + "theirs is followed, and not the host's")
    case .contested(let size):
      log.event(
        .clockJumped, .warning,
        "another clock is \(Self.words(size)) of the host's, and no third one says which is right (a database on this "
          + "host has the host's): until two agree, whatever ends by time ends by the earlier of them")
    case .settled:
      log.event(.clockAgrees, .notice, "the host's clock is right again, and is followed")
    }
  }

  private static func words(_ size: Duration) -> String {
    "\((max(size, .zero - size) + .milliseconds(500)).components.seconds) s \(size < .zero ? "behind" : "ahead")"
  }
}
