import Conversions
import Testing

/// The progress of intake in a ledger that takes another one's place, or has another mapping.
@Suite struct IntakeProgressTests {
  private static let end = Timestamp(milliseconds: 1_765_000_000_000)

  /// The wait that there was, by seconds after the end of the former ledger, and the wait that follows.
  @Test(arguments: [(nil, 930), (0, 930), (930, 930), (931, 931)] as [(Int?, Int)])
  func itLastsForARequestAndItsDoubtAndIsNeverShortened(before: Int?, after: Int) {
    var progress = IntakeProgress()
    progress.quietUntil = before.map { Self.end + .seconds($0) }
    let until = progress.keepQuiet(after: Self.end, timeout: .seconds(30))
    #expect(until == Self.end + .seconds(after) && progress.quietUntil == until)
  }

  /// The time of the mapping accepted before, the one asked for, true if it keeps the IDs, and the time that holds.
  @Test(
    arguments: [
      (nil, 5, true, nil), (nil, 5, false, 5), (9, 5, true, 5), (5, 9, true, 5), (5, 9, false, 9), (5, nil, true, 5),
      (5, nil, false, nil),
    ] as [(Int?, Int?, Bool, Int?)])
  func anAcceptedMappingForgetsTheTableBefore(before: Int?, asked: Int?, keepsIDs: Bool, accepted: Int?) {
    var progress = IntakeProgress()
    (progress.identity, progress.endSeen, progress.recentPosition) = ("16384", 7, "x")
    progress.settled = .init(horizon: 7, takenAt: Self.end)
    progress.acceptedFrom = before.map { Self.end + .seconds($0) }
    var expected = IntakeProgress()
    (expected.takesOrdersFrom, expected.isStartSettled) = (asked.map { Self.end + .seconds($0) }, true)
    expected.acceptedFrom = accepted.map { Self.end + .seconds($0) }
    progress.noteAcceptance(from: expected.takesOrdersFrom, keepsIDs: keepsIDs)
    #expect(progress == expected)
  }

  @Test(arguments: [true, false]) func anotherStartIsFoundAnewWhereOneWasFound(isSettled: Bool) {
    var progress = IntakeProgress()
    (progress.isStartSettled, progress.takesOrdersFrom, progress.acceptedFrom) = (isSettled, Self.end, Self.end)
    #expect(progress.noteStart(from: Self.end - .seconds(1)) == isSettled)
    #expect(!progress.isStartSettled && progress.takesOrdersFrom == (isSettled ? nil : Self.end))
    #expect(progress.acceptedFrom == Self.end - .seconds(1))
  }

  @Test func aSurveyFillsInWhatWasNotKnownAndKeepsTheRest() {
    var known = SurveyedSource(database: "shop", table: nil, keyFamily: .integer, idFamily: nil)
    known.learn(from: SurveyedSource(database: "other", table: "public.orders", keyFamily: .text, idFamily: .uuid))
    let expected = SurveyedSource(database: "shop", table: "public.orders", keyFamily: .integer, idFamily: .uuid)
    #expect(known == expected)
  }
}
