import Conversions
import Testing

/// Changes of the rules that follow each other.
@Suite struct RulesChangeTests {
  private static let now = Timestamp(microseconds: 1_800_000_000_000_000)

  private static func begin(_ rules: inout RulesInForce, _ digest: String, amounts: String = "cents refuse") -> Bool {
    rules.begin(digest: digest, mapping: "m", amounts: amounts, now: now, aliveAt: nil)
  }

  /// Orders that the first change gave another amount would be sent with it, unseen, once a second one ended both.
  @Test func aSecondChangeRemembersWhatTheFirstOneRevalued() {
    var rules = RulesInForce()
    #expect(!Self.begin(&rules, "a"))
    #expect(Self.begin(&rules, "b", amounts: "major refuse"))
    rules.change?.revalued = 3
    #expect(Self.begin(&rules, "c", amounts: "major refuse"))
    #expect(rules.change?.revalued == 3)
    #expect(rules.change?.changesAmounts == true)
    #expect(rules.change?.after == EntryID(0))
  }

  @Test func aChangeThatIsOverLeavesNothingToTheNext() {
    var rules = RulesInForce()
    #expect(!Self.begin(&rules, "a"))
    #expect(Self.begin(&rules, "b"))
    rules.change?.revalued = 3
    rules.change = nil
    #expect(Self.begin(&rules, "c"))
    #expect(rules.change?.revalued == nil)
  }

  @Test func theSameRulesBeginNothing() {
    var rules = RulesInForce()
    #expect(!Self.begin(&rules, "a"))
    #expect(!Self.begin(&rules, "a"))
    #expect(rules.change == nil)
  }
}
