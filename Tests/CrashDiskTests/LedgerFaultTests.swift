import Conversions
import CrashDisk
import TestHosts
import Testing

@testable import Ledger

/// Disks that fail, under the real ledger.
@Suite("The ledger on a disk with faults")
struct LedgerFaultTests {
  @Test("full, read-only, unreadable, unable to sync: said as such, and nothing is lost or left in part")
  func faults() async throws {
    let cases: [(LedgerFailure.Kind, @Sendable (inout DiskFaults) -> Void)] = [
      (.diskFull, { $0.isFull = true }), (.permission, { $0.isReadOnly = true }), (.io, { $0.sync = .failsOnce }),
      (.io, { $0.sync = .failsAlways }),
    ]
    for (index, (kind, fault)) in cases.enumerated() {
      let disk = CrashDisk(seed: UInt64(index))
      var subject = try LedgerOnDisk(disk)
      var dice = SeededGenerator(seed: UInt64(index))
      try await Self.live(&subject, &dice, transactions: 10)
      do {
        let ledger = try subject.open()
        let before = try await subject.check(ledger)
        #expect(before == nil)
        var faults = DiskFaults()
        fault(&faults)
        disk.faults = faults
        // A full disk has room in what the WAL was before.
        var changes = 0
        while changes < 200, try await subject.change(ledger, using: &dice) { changes += 1 }
        #expect(subject.lastFailure?.kind == kind)
        disk.faults = DiskFaults()
      }
      disk.crash(using: &dice)
      let ledger = try subject.open()
      let problem = try await subject.check(ledger)
      #expect(problem == nil, "case \(index)")
    }
  }

  @Test("a ledger that can't be read is not taken for an empty one")
  func unreadable() async throws {
    let disk = CrashDisk(seed: 1)
    var subject = try LedgerOnDisk(disk)
    var dice = SeededGenerator(seed: 1)
    try await Self.live(&subject, &dice, transactions: 10)
    disk.faults.failsReads = true
    #expect(#expect(throws: LedgerFailure.self) { try subject.open() }?.kind == .io)
    disk.faults = DiskFaults()
    let problem = try await subject.check(try subject.open())
    #expect(problem == nil)
  }

  /// The ledger's next step after a sync that failed.
  enum Next: CaseIterable { case goesOn, isClosed, isKilled }

  /// After a failed sync the kernel shows what it will never write. A commit behind it must not rest on that.
  @Test(
    "a sync that fails once, a few transactions, and then the power: what was committed is there",
    arguments: Next.allCases)
  func failedSync(_ next: Next) async throws {
    var lost: [UInt64] = []
    for seed in 1...30 as ClosedRange<UInt64> {
      let disk = CrashDisk(seed: seed)
      var subject = try LedgerOnDisk(disk)
      // A WAL that is copied often is written anew often, and hides what it lacks.
      subject.checkpointPages = seed.isMultiple(of: 2) ? 12 : 3000
      var dice = SeededGenerator(seed: seed)
      try await Self.live(&subject, &dice, transactions: 5)
      do {
        let ledger = try subject.open()
        let before = try await subject.check(ledger)
        #expect(before == nil)
        disk.faults.sync = .failsOnce
        for _ in 0..<50 { guard try await subject.change(ledger, using: &dice) else { break } }
        switch next {
        case .goesOn: for _ in 0..<3 { _ = try await subject.change(ledger, using: &dice) }
        case .isClosed: try ledger.close()
        case .isKilled: disk.kill()
        }
      }
      // The one whose commit failed may be there now, as a whole.
      if next != .goesOn { try await Self.live(&subject, &dice, transactions: 3) }
      disk.crash(using: &dice)
      do {
        if try await subject.check(try subject.open()) != nil { lost.append(seed) }
      } catch {
        lost.append(seed)
      }
    }
    print("crash after a failed sync, ledger \(next): transactions lost with seeds \(lost)")
    #expect(lost == [])
  }

  /// A life without faults that ends in a kill.
  private static func live(
    _ subject: inout LedgerOnDisk, _ dice: inout SeededGenerator, transactions: Int
  ) async throws {
    let ledger = try subject.open()
    let problem = try await subject.check(ledger)
    #expect(problem == nil)
    for _ in 0..<transactions {
      let isDone = try await subject.change(ledger, using: &dice)
      #expect(isDone)
    }
    subject.disk.kill()
  }
}
