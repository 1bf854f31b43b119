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

  private struct State {
    var time: WitnessedTime
    var corrections = 0

    mutating func note(_ change: WitnessedTime.Change?) {
      if change?.correction != nil { corrections += 1 }
    }
  }

  private let base: any HostClock
  private let log: Logger
  private let onCorrection: @Sendable () -> Void
  private let state: Mutex<State>

  /// A clock upon the host's own, in which time is at first.
  ///
  /// - Parameters:
  ///   - base: The host's clocks.
  ///   - log: Where jumps are told, each once.
  ///   - onCorrection: Called when `now` has jumped after all: whoever waits for a time of day must look again.
  public init(_ base: any HostClock, log: Logger, onCorrection: @escaping @Sendable () -> Void = {}) {
    (self.base, self.log, self.onCorrection) = (base, log, onCorrection)
    state = Mutex(State(time: WitnessedTime(Self.read(base))))
  }

  /// Wall-clock time, by two of three clocks.
  public var now: Timestamp {
    let reading = Self.read(base)
    let (now, change) = state.withLock { state in
      let (now, change) = state.time.now(reading)
      state.note(change)
      return (now, change)
    }
    if let change { tell(change) }
    return now
  }

  /// As of the host.
  public var uptime: Duration { base.uptime }

  /// As of the host.
  public func sleep(until deadline: Duration) async throws { try await base.sleep(until: deadline) }

  /// How often `now` has jumped: times that were taken before another count mean something else.
  public var corrections: Int { state.withLock { $0.corrections } }

  /// Takes in what an answer of the API, which has just ended, tells of the API's clock.
  func heard(_ head: AnswerHead) {
    guard let time = head.timeAtEnd else { return }
    hear { $0.heard(api: time, $1) }
  }

  /// Takes in what a snapshot tells of the database's clock.
  ///
  /// - Parameters:
  ///   - moment: The snapshot's.
  ///   - asked: The uptime at which it was asked for; the answer has just ended.
  func heard(_ moment: SnapshotMoment, askedAt asked: Duration) {
    let took = base.uptime - asked
    guard took <= Self.answerMax else { return }
    hear { $0.heard(database: moment.readAt + took / 2, $1) }
  }

  private func hear(_ word: (inout WitnessedTime, WitnessedTime.Reading) -> WitnessedTime.Change?) {
    let reading = Self.read(base)
    let change = state.withLock { state in
      let change = word(&state.time, reading)
      state.note(change)
      return change
    }
    if let change { tell(change) }
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
    case .settled:
      log.event(.clockAgrees, .notice, "the host's clock is right again, and is followed")
    }
    if change.correction != nil { onCorrection() }
  }

  private static func words(_ size: Duration) -> String {
    "\(abs(size.components.seconds)) s \(size < .zero ? "behind" : "ahead")"
  }
}
