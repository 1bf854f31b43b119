import Conversions
import Testing

/// The times that count from an order's state.
@Suite struct OrderStateTests {
  private static let then = Timestamp(milliseconds: 1_765_000_000_000)
  private static let now = then + .seconds(60)
  private static let later = then + .seconds(3600)

  private static func state(
    _ outcome: Outcome?, _ reason: String? = nil, decided: Timestamp? = then, send: Timestamp? = nil
  ) -> OrderState {
    OrderState(outcome: outcome, reason: reason, decidedAt: decided, sendAt: send)
  }

  /// The state before, the decision, and the state after.
  @Test(arguments: [
    (state(.waiting, "hold"), Decision(.waiting, reason: "hold"), state(.waiting, "hold")),
    (state(.waiting, "hold"), Decision(.waiting), state(.waiting, decided: now)),
    (state(.waiting), Decision(.held, reason: "hold"), state(.held, "hold", decided: now)),
    (state(.waiting, decided: nil), Decision(.waiting), state(.waiting, decided: now)),
    (state(nil, decided: nil), Decision(.noReferral), state(.noReferral, decided: now)),
    (state(.waiting), Decision(.queued), state(.queued, decided: now, send: now)),
    (state(.queued, "retry", send: later), Decision(.queued), state(.queued, decided: now, send: later)),
    (state(.queued, send: later), Decision(.queued), state(.queued, send: later)),
    (state(.queued, send: later), Decision(.cancelled, reason: "gone"), state(.cancelled, "gone", decided: now)),
  ])
  func aStateThatStaysKeepsItsTimes(before: OrderState, decision: Decision, after: OrderState) {
    #expect(before.after(decision, at: Self.now) == after)
  }
}
