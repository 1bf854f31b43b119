import Conversions
import Synchronization
import TestHosts

@testable import Ledger

/// Where the ledger of a simulation lives.
final class SimulatedDisk: Sendable {
  private let folder: TemporaryFolder
  private let commits = Mutex<GroupCommit?>(nil)

  init(seed: UInt64) throws { folder = try TemporaryFolder("simulation") }

  var isDead: Bool { false }

  /// Opens the ledger as a start does; its commits take a moment of virtual time each.
  func open(_ agenda: Agenda, seed: UInt64) throws -> SQLiteLedger {
    try SQLiteLedger(path: folder.path("ledger.sqlite")) { queue in
      let made = GroupCommit(queue) { commits in agenda.add(after: .milliseconds(3)) { commits.commitNext() } }
      commits.withLock { $0 = made }
      return made
    }
  }

  func fill() {}
  func work() {}
  func die(afterWrites writes: Int) {}
  /// Has whoever waits for the ledger told; false for nobody.
  func answerAll() -> Bool {
    guard let commits = commits.withLock({ $0 }), commits.hasWaiting else { return false }
    commits.commitNext()
    return true
  }

  func crash(isPowerLoss: Bool) {}
  func revive() {}
  func remove() {}
}
