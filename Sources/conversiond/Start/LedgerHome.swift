import Configuration
import Conversions
import Foundation
import Ledger
import PartnersAPI

/// The place of the ledger, or, for a dry run, of its copy, which is removed at the end.
struct LedgerHome {
  let path: String
  private let configuration: Configuration
  private let scratch: String?

  init(configuration: Configuration, isDryRun: Bool) throws {
    self.configuration = configuration
    guard isDryRun else {
      (path, scratch) = (configuration.ledgerPath, nil)
      return
    }
    let folder = NSTemporaryDirectory() + "/conversiond-dry-run-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    scratch = folder
    do {
      path = try SQLiteLedger.copy(path: configuration.ledgerPath, intoFolder: folder) ?? folder + "/ledger.sqlite"
    } catch {
      try? FileManager.default.removeItem(atPath: folder)
      throw CommandFailure(error)
    }
  }

  /// The time that a start waits for the ledger. While no daemon runs, a command such as `status` has it open for a
  /// moment: a start must not fail because of that. Another daemon has it for longer.
  static let lockPatience = Duration.seconds(5)

  /// - Throws: `CommandFailure` with the status that the ledger's failure stands for.
  func open() async throws -> SQLiteLedger {
    do {
      let ledger = try await openOnceUnlocked()
      SQLiteLedger.removeUnfinishedCopies(of: path)
      try await ledger.adopt(configuration.source, mapping: configuration.mappingIdentity)
      return ledger
    } catch let failure as LedgerFailure {
      remove()
      throw CommandFailure(named(failure))
    }
  }

  /// Names the ledger itself in a failure of its copy, which is gone by the time that the words are read.
  func named(_ failure: LedgerFailure) -> LedgerFailure {
    LedgerFailure(failure.kind, failure.description.replacing(path, with: configuration.ledgerPath))
  }

  private func openOnceUnlocked() async throws -> SQLiteLedger {
    let deadline = ContinuousClock.now + Self.lockPatience
    while true {
      do throws(LedgerFailure) {
        return try SQLiteLedger(path: path)
      } catch {
        guard error.kind == .locked, ContinuousClock.now < deadline else { throw error }
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// The pacer, whose file other daemons of this host may have, too. That file, mostly in /run, is lost at a
  /// reboot: the limits in it are kept beside the ledger.
  func pacer(_ url: PartnersBaseURL, limits: WriteLimits) throws -> WritePacer {
    let folder = try scratch ?? paths.pacerFolder ?? runtimeFolder()
    let file = ControlPaths.pacer(in: folder, baseURL: url)
    let beside = ControlPaths.pacer(in: (path as NSString).deletingLastPathComponent, baseURL: url)
    return WritePacer(
      path: file, persisted: file == beside ? nil : beside + ".kept", owner: SQLiteLedger.holderNumber(path: path),
      limits: limits)
  }

  private var paths: ControlPaths { ControlPaths(ledgerPath: path, instance: configuration.instance) }

  /// The control socket in a folder.
  func socket(in folder: String) -> String { paths.socket(in: folder) }

  /// The folder of the control socket. A dry run makes none, and keeps to a folder of its own.
  func runtimeFolder() throws -> String {
    if let scratch { return scratch }
    guard let folder = paths.daemonFolder else {
      throw CommandFailure(.permission, "no folder for the control socket: cannot write beside \(path)")
    }
    return folder
  }

  func remove() {
    if let scratch { try? FileManager.default.removeItem(atPath: scratch) }
  }
}
