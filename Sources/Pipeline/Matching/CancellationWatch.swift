import Conversions
import Logging
import Synchronization

/// Notices that many orders which were to be reported stop qualifying together: a status that paid orders go on to and that
/// the configuration doesn't name, or an archive's flag in `orders.where`, would cancel all of them without a word.
public final class CancellationWatch: Sendable {
  /// The number within the window that is told of.
  private static let countMin = 5
  private static let window = Duration.seconds(3600)
  /// The time between two lines.
  private static let interval = Duration.seconds(86_400)

  private let state = Mutex((cancelledAt: [Duration](), loggedAt: Duration?.none))

  /// Begins without a cancellation.
  public init() {}

  /// Takes in decisions at an uptime; returns true if the log is to be told.
  func note(_ decided: [Decided], at uptime: Duration) -> Bool {
    let count = decided.count(where: \.isCancelledBeforeItsReport)
    guard count > 0 else { return false }
    return state.withLock { state in
      state.cancelledAt.removeAll { uptime - $0 > Self.window }
      state.cancelledAt += Array(repeating: uptime, count: min(count, Self.countMin))
      guard state.cancelledAt.count >= Self.countMin,
        state.loggedAt.map({ uptime - $0 >= Self.interval }) ?? true
      else { return false }
      state.loggedAt = uptime
      return true
    }
  }
}

extension PipelineContext {
  /// Warns where many orders were cancelled together.
  func warn(ofCancellations decided: [Decided]) {
    guard cancellations.note(decided, at: clock.uptime) else { return }
    log.event(
      .cancelled, .warning,
      "five orders or more that were to be reported were cancelled within the hour, as they qualify no longer or orders.where "
        + "leaves them out. If they are paid all the same, change orders.qualifying_statuses, orders.qualifies or orders.where: "
        + "after a restart they are decided anew. `conversiond queue list --state cancelled` names them",
      ["reason": DecisionReason.noLongerQualifies])
  }
}
