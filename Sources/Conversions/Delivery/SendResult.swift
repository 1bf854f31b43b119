/// The conclusion that a send's answer allows.
public struct SendResult: Hashable, Sendable {
  /// The state that the order goes to.
  public enum Next: Hashable, Sendable {
    /// Reported.
    case reported
    /// Superseded.
    case superseded
    /// In review, for a person.
    case review(ReviewReason)
    /// Queued until a time.
    case again(Timestamp)
    /// Unfrozen and matched again.
    case rematch
  }

  /// The state that the order goes to.
  public var next: Next
  /// True if the send may have been done without our knowing.
  public var isUnknown: Bool
  /// True if it counts as an attempt.
  public var counts: Bool

  /// Makes a result from its values.
  public init(next: Next, isUnknown: Bool, counts: Bool) {
    self.next = next
    self.isUnknown = isUnknown
    self.counts = counts
  }
}

/// The state in which a send leaves its order.
public struct OrderAfterSend: Hashable, Sendable {
  /// The outcome; queued only with `sendAt`.
  public var outcome: Outcome
  /// The reason for it, in a code.
  public var reason: String?
  /// True if the order keeps its referral from rivals.
  public var claims = true
  /// True if its report counts as never sent, unless an earlier send may have been done: the order is decided anew
  /// before the next one.
  public var isUnfrozen = false
  /// True if the send converted the referral, so that rivals need not wait for a walk of the mirror to see it.
  public var convertsReferral = false
  /// The time of the next send, for an order that stays queued.
  public var sendAt: Timestamp?
  /// The time at which the order is matched again, for one whose referral the API doesn't know.
  public var rematchAt: Timestamp?
}

extension SendResult {
  /// The time for which the API may still work on a request after we gave up on it: a referral that is still open later
  /// was not converted by it.
  public static let doubtLasts = Duration.seconds(900)

  /// The time that an order waits to be matched again whose referral the API said it doesn't know. Not none: another
  /// account's API answers 404 for every referral, and must not empty the queue.
  public static let rematchWait = Duration.seconds(60)

  /// Decides the state of the order after the send.
  ///
  /// - Parameters:
  ///   - mayBeDone: True if this send or an earlier one may have been done.
  ///   - now: Wall-clock time.
  /// - Returns: The state to store.
  public func order(mayBeDone: Bool, at now: Timestamp) -> OrderAfterSend {
    switch next {
    case .reported:
      return OrderAfterSend(outcome: .reported, convertsReferral: true)
    case .superseded:
      // Verified as not done, it counts as never sent: a referral that ranks before this one may appear yet.
      return OrderAfterSend(
        outcome: .superseded, reason: DecisionReason.alreadyConverted, claims: false, isUnfrozen: true)
    case .review(let reason):
      // Refused for good, or for a referral that is gone: nothing was done, so the next rival may have it, and the order
      // is decided anew once its row, its referral or a setting changes. Any other doubt holds the referral until a
      // person has decided.
      let isUndone = reason == .rejected || reason == .referralMissing
      return OrderAfterSend(
        outcome: .review, reason: reason.rawValue, claims: !isUndone || mayBeDone, isUnfrozen: isUndone)
    case .again(let time):
      return OrderAfterSend(outcome: .queued, reason: QueuedReason.retry.rawValue, isUnfrozen: true, sendAt: time)
    case .rematch:
      return OrderAfterSend(
        outcome: .waiting, reason: DecisionReason.noReferralYet, claims: false, isUnfrozen: true,
        rematchAt: now + Self.rematchWait)
    }
  }
}

extension SendVerdict {
  /// The longest wait of an order that was not done: the API, or a proxy, would not look at it for a moment.
  private static let notDoneWaitMax = Duration.seconds(60)

  /// Returns the verdict's result for its order, and why in a sentence; `wait` is the back-off's, if it is tried again.
  public func result(now: Timestamp, wait: Duration) -> (SendResult, String?) {
    switch self {
    case .reported(let detail): (SendResult(next: .reported, isUnknown: false, counts: true), detail)
    case .superseded(let words): (SendResult(next: .superseded, isUnknown: false, counts: true), words)
    case .review(let reason, let words): (SendResult(next: .review(reason), isUnknown: false, counts: true), words)
    case .unknown(let words, let after):
      (SendResult(next: .again(now + max(wait, after ?? .zero)), isUnknown: true, counts: true), words)
    case .verify: (SendResult(next: .again(now + wait), isUnknown: true, counts: true), nil)
    case .notDone(let words, let after):
      (
        SendResult(
          next: .again(now + max(min(wait, Self.notDoneWaitMax), after ?? .zero)), isUnknown: false, counts: false),
        words
      )
    // The API is probed before anything is sent, so the entry itself need not wait.
    case .halt(_, let words): (SendResult(next: .again(now), isUnknown: false, counts: false), words)
    case .rematch(let words): (SendResult(next: .rematch, isUnknown: false, counts: false), words)
    }
  }
}
