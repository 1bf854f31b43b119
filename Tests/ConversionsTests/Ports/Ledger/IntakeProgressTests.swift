import Conversions
import Foundation
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
    progress.covered = .init(horizon: 7, takenAt: Self.end)
    progress.acceptedFrom = before.map { Self.end + .seconds($0) }
    var expected = IntakeProgress()
    (expected.takesOrdersFrom, expected.isStartFixed) = (asked.map { Self.end + .seconds($0) }, true)
    expected.acceptedFrom = accepted.map { Self.end + .seconds($0) }
    progress.noteAcceptance(from: expected.takesOrdersFrom, keepsIDs: keepsIDs)
    #expect(progress == expected)
  }

  @Test(arguments: [true, false]) func anotherStartIsFoundAnewWhereOneWasFound(isSettled: Bool) {
    var progress = IntakeProgress()
    (progress.isStartFixed, progress.takesOrdersFrom, progress.acceptedFrom) = (isSettled, Self.end, Self.end)
    #expect(progress.noteStart(from: Self.end - .seconds(1)) == isSettled)
    #expect(!progress.isStartFixed && progress.takesOrdersFrom == (isSettled ? nil : Self.end))
    #expect(progress.acceptedFrom == Self.end - .seconds(1))
  }

  @Test func aSurveyFillsInWhatWasNotKnownAndKeepsTheRest() {
    var known = SurveyedSource(database: "shop", table: nil, keyFamily: .integer, idFamily: nil)
    known.learn(from: SurveyedSource(database: "other", table: "public.orders", keyFamily: .text, idFamily: .uuid))
    let expected = SurveyedSource(database: "shop", table: "public.orders", keyFamily: .integer, idFamily: .uuid)
    #expect(known == expected)
  }

  @Test func theSpellingInTheLedgerStays() throws {
    let stored = #"{"isStartSettled":true,"settled":{"horizon":7,"takenAt":5},"noted":{"horizon":9,"takenAt":6}}"#
    let progress = try JSONDecoder().decode(IntakeProgress.self, from: Data(stored.utf8))
    #expect(progress.isStartFixed && progress.covered?.horizon == 7 && progress.noted?.horizon == 9)
    let again = try JSONDecoder().decode(IntakeProgress.self, from: JSONEncoder().encode(progress))
    #expect(again == progress)
    for key in ["isStartSettled", "settled"] {
      #expect(String(decoding: try JSONEncoder().encode(progress), as: UTF8.self).contains("\"\(key)\""))
    }
  }
}
