/// The named state in which an order stands. Every order ends in a final one or with a person; none is dropped
/// silently.
public enum Outcome: String, Sendable, Codable, CaseIterable {
  /// Not paid, cancelled, a test ...: its status may still change.
  case notQualifying = "not_qualifying"
  /// No referral yet, or behind another order of the same referral.
  case waiting
  /// Matched, and kept back for `reporting.hold`.
  case held
  /// To be sent when the pacer and the send window allow.
  case queued
  /// Being sent; at start-up, an unknown outcome.
  case sending
  /// The API has it. Final.
  case reported
  /// Its referral was converted by another order or another program. Final.
  case superseded
  /// No referral matched for as long as orders wait. Final.
  case noReferral = "no_referral"
  /// A referral matched, but the order was placed before it or too long after it. Final.
  case outsideWindow = "outside_window"
  /// Stopped qualifying before it was reported. Final unless it qualifies again.
  case cancelled
  /// Taken out by an operator. Final.
  case discarded
  /// A person must look, always with a reason.
  case review

  /// Final ones, whose orders retention removes, in the order in which it looks at them.
  public static let finished: [Outcome] = [
    .reported, .superseded, .noReferral, .outsideWindow, .cancelled, .discarded,
  ]

  /// Those of orders that are not to be reported again, or at all, whatever becomes of their rows.
  public static let spokenFor: [Outcome] = [.reported, .discarded]

  /// Those whose orders are not decided again for a referral that appears or changes.
  public static let withoutReferral: [Outcome] = [.notQualifying, .cancelled, .discarded]

  /// True while the order may still be reported without a person's doing.
  public var isWaiting: Bool {
    switch self {
    case .notQualifying, .waiting, .held, .queued, .sending: true
    case .reported, .superseded, .noReferral, .outsideWindow, .cancelled, .discarded, .review: false
    }
  }
}
