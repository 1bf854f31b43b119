import Conversions
import Ledger
import Testing

/// Transactions of many tasks at once are as each would be by itself.
@Suite struct ConcurrentTransactionsTests {
  private struct Refused: Error {}

  @Test func whatFailsIsUndoneByItself() async throws {
    let fixture = try LedgerFixture()
    let ledger = try fixture.open()
    let failed = await withTaskGroup(of: Bool.self) { group in
      for number in 1...200 {
        group.addTask {
          do {
            try await ledger.transaction { transaction in
              _ = try transaction.record(.readable(makeOrder(number)), seenAt: epoch, isBackfill: false)
              if number % 3 == 0 { throw Refused() }
            }
            return false
          } catch {
            #expect(error is Refused)
            return true
          }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(failed == 66)
    let keys = try await ledger.transaction { transaction in
      try transaction.entries(EntryFilter(outcomes: Outcome.allCases)).map(\.row.key.text)
    }
    #expect(Set(keys) == Set((1...200).filter { $0 % 3 != 0 }.map(String.init)))
  }

  @Test func eachSeesWhatWasDoneBeforeIt() async throws {
    let ledger = try LedgerFixture().open()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          for _ in 0..<5 { try? await ledger.transaction { try $0.tally(.cancelled, 1) } }
        }
      }
    }
    let count = try await ledger.transaction { try $0.outcomeCounts() }.first { $0.outcome == .cancelled }?.count
    #expect(count == 500)
  }
}
