/// The state in which an order stands, with the times that count from it.
public struct OrderState: Hashable, Sendable {
  /// The outcome; nil where the order has none yet.
  public var outcome: Outcome?
  /// The reason, in a code.
  public var reason: String?
  /// The time at which the state was entered.
  public var decidedAt: Timestamp?
  /// The time of the next send; nil where it is not queued.
  public var sendAt: Timestamp?

  /// Makes a state from its values.
  public init(outcome: Outcome?, reason: String?, decidedAt: Timestamp?, sendAt: Timestamp?) {
    (self.outcome, self.reason, self.decidedAt, self.sendAt) = (outcome, reason, decidedAt, sendAt)
  }

  /// Returns the state to which a decision brings the order. One that stays what it was keeps the time at which it became
  /// so, and one that stays queued its turn.
  public func after(_ decision: Decision, at now: Timestamp) -> OrderState {
    let isSame = decision.outcome == outcome && decision.reason == reason
    let turn = outcome == .queued ? sendAt : now
    return OrderState(
      outcome: decision.outcome, reason: decision.reason, decidedAt: isSame ? decidedAt ?? now : now,
      sendAt: decision.outcome == .queued ? turn : nil)
  }
}
