import Conversions
import Testing

@Suite struct VanishedRowsRuleTests {
  private static let now = Timestamp(utcYear: 2026, month: 11, day: 28)
  private static func miss(_ ago: Duration = .zero, isHeld: Bool = false) -> VanishedRows.Miss {
    VanishedRows.Miss(since: now - ago, isHeld: isHeld)
  }
  private static let longAgo = now - .seconds(30 * 86_400)

  @Test(arguments: [
    (1, 1, VanishedRows.Verdict.deleted), (2, 2, .deleted), (3, 3, .missing), (29, 3, .missing), (30, 3, .missing),
    (31, 3, .deleted),
    (100, 9, .deleted), (100, 10, .missing), (10_000, 999, .deleted),
  ])
  func aTenthAndAtLeastThree(expected: Int, missing: Int, verdict: VanishedRows.Verdict) {
    let rows = VanishedRows(expected: expected, missing: missing, sightChangedAt: nil)
    #expect(rows.verdict(on: Self.miss(), firstSeenAt: Self.longAgo, now: Self.now) == verdict)
  }

  @Test func anyThatIsFirstMissedAfterAChangeOfWhatIsSeen() {
    let rows = VanishedRows(expected: 50, missing: 1, sightChangedAt: Self.now - .seconds(60))
    #expect(rows.verdict(on: Self.miss(), firstSeenAt: Self.longAgo, now: Self.now) == .missing)
    // Seen since then, or missed before: it was deleted.
    #expect(rows.verdict(on: Self.miss(), firstSeenAt: Self.now - .seconds(30), now: Self.now) == .deleted)
    #expect(rows.verdict(on: Self.miss(.seconds(90)), firstSeenAt: Self.longAgo, now: Self.now) == .deleted)
  }

  @Test func anyThatRowLevelSecurityMayHide() {
    let rows = VanishedRows(expected: 50, missing: 1, sightChangedAt: nil)
    let verdict = rows.verdict(on: Self.miss(), firstSeenAt: Self.longAgo, mayBeHidden: true, now: Self.now)
    #expect(verdict == .missing)
  }

  @Test func oneThatWaitsIsGivenUpAfterSevenDays() {
    let rows = VanishedRows(expected: 50, missing: 0, sightChangedAt: nil)
    let day = 86_400
    for (age, verdict) in [(1, VanishedRows.Verdict.missing), (7 * day - 1, .missing), (7 * day, .givenUp)] {
      let miss = Self.miss(.seconds(age), isHeld: true)
      #expect(rows.verdict(on: miss, firstSeenAt: Self.longAgo, now: Self.now) == verdict)
    }
  }
}
