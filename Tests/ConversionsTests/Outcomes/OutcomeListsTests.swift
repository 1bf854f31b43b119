import Conversions
import Testing

/// The lists of outcomes and reasons by which storage picks orders.
@Suite struct OutcomeListsTests {
  @Test(arguments: Outcome.allCases) func whatWaitsOrNeedsAPersonIsNotFinished(outcome: Outcome) {
    #expect(Outcome.finished.contains(outcome) == (!outcome.isWaiting && outcome != .review))
  }

  @Test func listsNameKnownOutcomesAndReasonsOnce() {
    #expect(Set(Outcome.finished).count == Outcome.finished.count)
    #expect(Set(Outcome.finished).isSuperset(of: Outcome.spokenFor))
    #expect(Set(DecisionReason.all).isSuperset(of: DecisionReason.awaitingWalk + DecisionReason.putOffByClock))
  }
}
