import Conversions
import CrashDisk
import Synchronization
import TestHosts

@testable import Ledger

/// The disk of a simulation's ledger, in memory, whose work takes a moment of virtual time.
final class SimulatedDisk: Sendable {
  private struct Asked {
    var commits: [@Sendable () -> Void] = []
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
      commit: { [self] queue, work in
        asked.withLock { $0.commits.append { LedgerSchedule.commitNow(queue, work) } }
        agenda.add(after: Self.commitTime) { [self] in commitNext() }
      },
      open: { [self] work in
        asked.withLock { $0.openings.append(work) }
        agenda.add(after: Self.openingTime) { [self] in openNext() }
      })
    return try SQLiteLedger(path: disk.path("ledger.sqlite"), lockPath: folder.path("lock"), schedule: schedule)
  }

  private func commitNext() { asked.withLock { $0.commits.isEmpty ? nil : $0.commits.removeFirst() }?() }

  private func openNext() { asked.withLock { $0.openings.isEmpty ? nil : $0.openings.removeFirst() }?() }

  /// Answers all callers that wait for the ledger; false for none.
  func answerAll() -> Bool {
    let asked = asked.withLock { asked in
      defer { asked = Asked() }
      return asked.openings + asked.commits
    }
    for answer in asked { answer() }
    return !asked.isEmpty
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
