import Testing

@testable import Conversions

/// Cancelled orders, told from archived ones by their rows.
@Suite struct AbsentRowsTests {
  /// Judges rows of as many days: those named are absent.
  private func verdict(days: ClosedRange<Int64>, absent: Set<Int64>) -> AbsentRows.Verdict {
    var rows = AbsentRows()
    for day in days {
      let placedAt = Timestamp(milliseconds: day * 86_400_000)
      if absent.contains(day) { rows.miss(EntryID(day), placedAt: placedAt) } else { rows.show(placedAt: placedAt) }
    }
    return rows.verdict()
  }

  @Test func aFewBetweenOthersWereCancelled() {
    let verdict = verdict(days: 1...40, absent: [20, 39])
    #expect(verdict == AbsentRows.Verdict(cancelled: [EntryID(20), EntryID(39)]))
  }

  @Test(arguments: [[1], [1, 2], [1, 2, 3, 4, 5, 6, 7, 8]] as [Set<Int64>])
  func theOldestAreArchived(days: Set<Int64>) {
    let verdict = verdict(days: 1...40, absent: days)
    #expect(verdict.cancelled.isEmpty && verdict.many.isEmpty && Set(verdict.aged) == Set(days.map { EntryID($0) }))
  }

  @Test func manyAtOnceAreNotCancelled() {
    let verdict = verdict(days: 1...40, absent: [20, 25, 30, 35])
    #expect(verdict.cancelled.isEmpty && verdict.many.count == 4)
  }

  @Test func aTableThatIsEmptyTellsNothing() {
    let verdict = verdict(days: 1...40, absent: Set(1...40))
    #expect(verdict.cancelled.isEmpty && verdict.many.count == 40)
  }

  @Test func theOnlyOneWasCancelled() {
    #expect(verdict(days: 1...1, absent: [1]).cancelled == [EntryID(1)])
    #expect(AbsentRows().verdict() == AbsentRows.Verdict())
  }
}
