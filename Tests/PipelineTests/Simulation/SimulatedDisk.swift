import Conversions
import CrashDisk
import Synchronization
import TestHosts

@testable import Ledger

/// The disk of a simulation's ledger, in memory, whose work takes a moment of virtual time.
final class SimulatedDisk: Sendable {
  private struct Asked {
    var commits: GroupCommit?
    var openings: [@Sendable () -> Void] = []
  }

  private static let commitTime = Duration.milliseconds(3)
  private static let openingTime = Duration.milliseconds(200)

  private let disk: CrashDisk
  /// For the lock, which is the kernel's.
  private let folder: TemporaryFolder
  private let asked = Mutex(Asked())

  init(seed: UInt64) throws {
    CrashDisk.install()
    disk = CrashDisk(seed: seed)
    folder = try TemporaryFolder("simulation")
  }

  /// True once the power has failed in the middle of something.
  var isDead: Bool { disk.isOff }

  /// Opens the ledger as a start does.
  func open(_ agenda: Agenda) throws -> SQLiteLedger {
    let schedule = LedgerSchedule(
      commit: { [self] commits in
        asked.withLock { $0.commits = commits }
        agenda.add(after: Self.commitTime) { commits.commitNext() }
      },
      open: { [self] work in
        asked.withLock { $0.openings.append(work) }
        agenda.add(after: Self.openingTime) { [self] in openNext() }
      })
    return try SQLiteLedger(path: disk.path("ledger.sqlite"), lockPath: folder.path("lock"), schedule: schedule)
  }

  private func openNext() { asked.withLock { $0.openings.isEmpty ? nil : $0.openings.removeFirst() }?() }

  /// Answers all callers that wait for the ledger; false for none.
  func answerAll() -> Bool {
    let asked = asked.withLock { asked in
      defer { asked.openings = [] }
      return asked
    }
    for open in asked.openings { open() }
    guard let commits = asked.commits, commits.hasWaiting else { return !asked.openings.isEmpty }
    commits.commitNext()
    return true
  }

  /// Lets go of all callers that wait for it.
  func forget() { asked.withLock { $0 = Asked() } }

  func fill() { disk.faults.isFull = true }
  func failNextSync() { disk.faults.sync = .failsOnce }
  func becomeReadOnly() { disk.faults.isReadOnly = true }
  func work() { disk.faults = DiskFaults() }
  func die(afterWrites writes: Int) { disk.faults.powerFailsAfter = writes }

  /// Ends all that is open, and loses, in a power failure, what was not synced.
  func crash(isPowerLoss: Bool) {
    let faults = disk.faults
    if isPowerLoss { disk.crash() } else { disk.kill() }
    disk.faults = faults
    disk.faults.powerFailsAfter = nil
    if isPowerLoss { work() }
  }
}
