import Conversions
import CrashDisk
import TestHosts
import Testing

@testable import Ledger

/// Power failures and kills at random moments of thousands of lives of the real ledger.
@Suite("The ledger on a disk that loses what was not synced", .timeLimit(.minutes(5)))
struct LedgerCrashTests {
  private static let disks = 20
  private static let lives = 25

  @Test(
    "what was committed is there, what was not isn't, and no page is harmed", arguments: 1...4 as ClosedRange<UInt64>)
  func crashes(_ block: UInt64) async throws {
    let start = ContinuousClock.now
    var (committed, doubtful, refused, syncs) = (0, 0, 0, 0)
    for disk in 0..<UInt64(Self.disks) {
      let subject = try await live(onDisk: block * 1000 + disk)
      committed += subject.committed
      doubtful += subject.doubtful
      refused += subject.refused
      syncs += subject.disk.counts.syncs
    }
    let lives = Self.disks * Self.lives
    let took = ((ContinuousClock.now - start) / lives).wholeMicroseconds
    print(
      "crash block \(block): \(lives) lives of the ledger, \(committed) transactions committed, \(doubtful) cut short,",
      "\(refused) rolled back, \(syncs) syncs, \(took) µs a life")
    #expect(committed > lives && doubtful > lives / 2)
  }

  private func live(onDisk seed: UInt64) async throws -> LedgerOnDisk {
    var dice = SeededGenerator(seed: seed)
    var subject = try LedgerOnDisk(CrashDisk(seed: seed, overwritesSafely: dice.oneIn(2)))
    for life in 0..<Self.lives {
      // Now and then the power fails while the ledger is being opened: made anew, or recovered from its WAL.
      if dice.oneIn(4) {
        subject.disk.faults.powerFailsAfter = Int.random(in: 0...30, using: &dice)
        _ = try? subject.open()
        end(subject.disk, &dice)
      }
      let ledger = try subject.open()
      let problem = try await subject.check(ledger)
      try #require(problem == nil, "seed \(seed), life \(life)")
      subject.disk.faults.powerFailsAfter = dice.oneIn(5) ? nil : Int.random(in: 0...90, using: &dice)
      for _ in 0..<Int.random(in: 1...15, using: &dice) {
        guard try await subject.change(ledger, using: &dice) else { break }
      }
      // Closing folds the WAL in, and can be cut short as well.
      if dice.oneIn(3) { try? ledger.close() }
      end(subject.disk, &dice)
    }
    return subject
  }

  private func end(_ disk: CrashDisk, _ dice: inout SeededGenerator) {
    if dice.oneIn(4) { disk.kill() } else { disk.crash(using: &dice) }
  }
}
